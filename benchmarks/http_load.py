"""A closed loop of HTTP requests over some connections: how many, how long each, what came back."""

from __future__ import annotations

import selectors
import socket
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

LOOPBACK = "127.0.0.1"
PIECE = 65536
END_OF_HEAD = b"\r\n\r\n"
LAST_CHUNK = b"0\r\n\r\n"


@dataclass(slots=True)
class Load:
    """What a loop has seen: seconds of each answer, and how many there were of each status."""

    seconds: float = 0.0
    waits: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)

    @property
    def per_second(self) -> float:
        return len(self.waits) / self.seconds


@dataclass(slots=True)
class _Line:
    """One connection: what has come of the answer that it waits for, and since when."""

    socket: socket.socket
    asked_at: float = 0.0
    received: bytes = b""

    def ask(self, request: bytes) -> None:
        self.received, self.asked_at = b"", time.perf_counter()
        self.socket.sendall(request)

    def status(self) -> int | None:
        """The status of the answer once all of it is here. Raises ``OSError`` at its end."""
        piece = self.socket.recv(PIECE)
        if not piece:
            raise ConnectionResetError("the server hung up")
        self.received += piece
        head, found, body = self.received.partition(END_OF_HEAD)
        if not found:
            return None
        return int(head.split(b" ", 2)[1]) if _is_whole(head.lower(), body) else None


def _is_whole(head: bytes, body: bytes) -> bool:
    """Say whether all of ``body`` has come, by its length or by its last chunk."""
    length = head.partition(b"content-length:")[2].split(b"\r\n", 1)[0]
    return len(body) >= int(length) if length else body.endswith(LAST_CHUNK)


def request_of(path: str, body: bytes, *, kind: str = "application/json", token: str = "") -> bytes:
    """Return a POST as it goes over the wire."""
    head = [f"POST {path} HTTP/1.1", f"Host: {LOOPBACK}", f"Content-Type: {kind}"]
    head += [f"Content-Length: {len(body)}", *([f"Authorization: Bearer {token}"] if token else [])]
    return "\r\n".join(head).encode() + END_OF_HEAD + body


def load(port: int, request: Callable[[], bytes], *, connections: int, seconds: float) -> Load:
    """Send ``request()`` on each connection as soon as it has the answer to the one before."""
    found = Load()
    with selectors.DefaultSelector() as ready:
        lines = [_Line(socket.create_connection((LOOPBACK, port))) for _ in range(connections)]
        for line in lines:
            line.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            ready.register(line.socket, selectors.EVENT_READ, line)
        began = time.perf_counter()
        for line in lines:
            line.ask(request())
        while time.perf_counter() - began < seconds:
            for key, _ in ready.select(timeout=1):
                line = key.data
                status = line.status()
                if status is not None:
                    found.waits.append(time.perf_counter() - line.asked_at)
                    found.statuses[status] += 1
                    line.ask(request())
        found.seconds = time.perf_counter() - began
        for line in lines:
            line.socket.close()
    return found

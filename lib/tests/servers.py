"""A real HTTP server on loopback that misbehaves as told, for tests of what calls outside."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

HEAD = b"HTTP/1.1 200 OK\r\n"
OK = HEAD + b"Content-Length: 2\r\n\r\nok"
STREAM = HEAD + b"Content-Length: 10000000000\r\n\r\n"  # and nobody waits for the end


@dataclass
class Request:
    """One request as it came in; ``headers`` have lower-case names."""

    line: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Server:
    """Listens while it is entered; each connection gets a thread that does ``behave``.

    ``behave(connection, server)`` may read with ``server.receive`` and should end when ``closing``
    is set. ``connections`` and ``requests`` tell afterwards what came.
    """

    behave: Callable[[socket.socket, Server], None]
    host: str = "127.0.0.1"
    port: int = 0
    tls: ssl.SSLContext | None = None
    connections: int = 0
    requests: list[Request] = field(default_factory=list)
    closing: threading.Event = field(default_factory=threading.Event)
    threads: list[threading.Thread] = field(default_factory=list)
    _open: list[socket.socket] = field(default_factory=list)

    def __enter__(self) -> Self:
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        self._listener = socket.create_server((self.host, self.port), family=family, backlog=50)
        self.port = self._listener.getsockname()[1]
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self.closing.set()
        for sock in (self._listener, *self._open):
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)  # wakes who waits for it
        for thread in self.threads:
            thread.join(timeout=5)
        self._listener.close()

    @property
    def url(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http{'s' if self.tls else ''}://{host}:{self.port}/"

    def receive(self, connection: socket.socket) -> Request | None:
        """Read one request; None when the other side has hung up."""
        data = b""
        while b"\r\n\r\n" not in data:
            more = connection.recv(65536)
            if not more:
                return None
            data += more
        head, _, body = data.partition(b"\r\n\r\n")
        line, *rest = head.decode("latin-1").split("\r\n")
        headers = {
            name.lower(): value.strip() for name, _, value in (r.partition(":") for r in rest)
        }
        while len(body) < int(headers.get("content-length", 0)):
            body += connection.recv(65536)
        self.requests.append(Request(line, headers, body))
        return self.requests[-1]

    def _accept(self) -> None:
        while not self.closing.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._start(self._serve, connection)

    def _start(self, work: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=work, args=args)
        self.threads.append(thread)
        thread.start()

    def _serve(self, connection: socket.socket) -> None:
        connection.settimeout(5)
        with suppress(OSError), self._secured(connection) as sock:
            self._open.append(sock)
            self.behave(sock, self)

    def _secured(self, connection: socket.socket) -> socket.socket:
        if self.tls is None:
            return connection
        try:
            return self.tls.wrap_socket(connection, server_side=True)
        except OSError:
            connection.close()
            raise


def answering(answer: bytes = OK) -> Callable[[socket.socket, Server], None]:
    """Answer each request of a connection with ``answer``."""

    def behave(connection: socket.socket, server: Server) -> None:
        while server.receive(connection):
            connection.sendall(answer)

    return behave


def answering_then(*steps: bytes) -> Callable[[socket.socket, Server], None]:
    """Answer once with each of ``steps``, without waiting, and close."""

    def behave(connection: socket.socket, server: Server) -> None:
        server.receive(connection)
        for step in steps:
            connection.sendall(step)

    return behave


def repeating(piece: bytes, *, after: bytes = b"", pause: float = 0) -> Callable[..., None]:
    """Send ``after``, then ``piece`` every ``pause`` seconds until somebody hangs up."""

    def behave(connection: socket.socket, server: Server) -> None:
        server.receive(connection)
        connection.sendall(after)
        while not server.closing.wait(pause):
            connection.sendall(piece)

    return behave


def hanging(connection: socket.socket, server: Server) -> None:
    """Accept, and never say a word."""
    server.closing.wait(10)


def resetting(connection: socket.socket, server: Server) -> None:
    """Read the request and reset the connection."""
    server.receive(connection)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")

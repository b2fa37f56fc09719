"""A small TCP proxy that can refuse, cut and swallow: a bad network between two processes."""

from __future__ import annotations

import contextlib
import socket
import threading
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import TracebackType

PIECE = 65_536  # bytes


class Mood(Enum):
    """What the proxy does with connections, new and old.

    ``PASS``: hands on. ``REFUSE``: ends what there is and accepts nothing. ``SWALLOW``: keeps
    connections open and accepts new ones, but no byte arrives. ``DEAF_TO_ANSWERS``: what is asked
    arrives, the answer does not.
    """

    PASS = "pass"
    REFUSE = "refuse"
    SWALLOW = "swallow"
    DEAF_TO_ANSWERS = "deaf_to_answers"


@dataclass(eq=False)
class Proxy:
    """Listens on a port of loopback and stands in for ``address`` while it is entered.

    ``refused``, ``swallowed`` count what the fault bit: connections and pieces of bytes.
    """

    address: tuple[str, int] | str  # a path is a UNIX socket
    refused: int = 0
    swallowed: int = 0
    _mood: Mood = Mood.PASS
    _pairs: set[tuple[socket.socket, socket.socket]] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __enter__(self) -> Proxy:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._listener.close()
        self.cut()

    def become(self, mood: Mood) -> None:
        """Treat all connections like this from now on. Healing cuts those that lost bytes."""
        was, self._mood = self._mood, mood
        if mood is Mood.REFUSE or was in {Mood.SWALLOW, Mood.DEAF_TO_ANSWERS}:
            self.cut()

    def cut(self) -> int:
        """End every connection at once; return how many."""
        with self._lock:
            pairs, self._pairs = self._pairs, set()
        for one in (end for pair in pairs for end in pair):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
        return len(pairs)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if self._mood is Mood.REFUSE:
                self.refused += 1
                client.close()
                continue
            try:
                server = self._connect()
            except OSError:
                client.close()
                continue
            with self._lock:
                self._pairs.add((client, server))
            for source, sink, asks in ((client, server, True), (server, client, False)):
                threading.Thread(target=self._pump, args=[source, sink, asks], daemon=True).start()

    def _connect(self) -> socket.socket:
        if isinstance(self.address, str):
            server = socket.socket(socket.AF_UNIX)
            server.connect(self.address)
            return server
        return socket.create_connection(self.address, timeout=None)

    def _pump(self, source: socket.socket, sink: socket.socket, asks: bool) -> None:
        with contextlib.suppress(OSError):
            while piece := source.recv(PIECE):
                if self._lost(asks=asks):
                    self.swallowed += 1
                else:
                    sink.sendall(piece)
        for one in (source, sink):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def _lost(self, *, asks: bool) -> bool:
        return self._mood is Mood.SWALLOW or (self._mood is Mood.DEAF_TO_ANSWERS and not asks)

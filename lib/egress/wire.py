"""Sockets under watch: no wait on one outlives the call it is for."""

from __future__ import annotations

import select
import socket
import ssl
from contextvars import ContextVar
from time import monotonic
from typing import TYPE_CHECKING, Any, TypeVar

import httpcore2

from lib.egress.errors import DeadlineError, StoppedError

if TYPE_CHECKING:
    from collections.abc import Callable
    from threading import Event


T = TypeVar("T")

GLANCE_SECONDS = 0.25  # how long a wait may ignore the clock and ``stop``


class Watch:
    """How long a call may still take, whether somebody asked it to stop, and how far it came.

    ``connected`` says that the call made a connection of its own instead of using one that was
    left open, ``heard`` that a first byte of an answer has come.
    """

    def __init__(self, timeout: float, stop: Event | None = None) -> None:
        self._timeout = timeout
        self._started = monotonic()
        self._stop = stop
        self.connected = False
        self.heard = False

    @property
    def elapsed(self) -> float:
        """Seconds since the call began."""
        return monotonic() - self._started

    @property
    def on_stale_connection(self) -> bool:
        """Whether nothing happened yet but the use of a connection kept open by an earlier call."""
        return not self.connected and not self.heard

    def glance(self) -> float:
        """Return how many seconds to wait before looking again: more than 0, and few.

        Raises ``StoppedError`` or ``DeadlineError`` when there is nothing left to wait for.
        """
        if self._stop is not None and self._stop.is_set():
            raise StoppedError("The call was stopped.")
        left = self._timeout - self.elapsed
        if left <= 0:
            raise DeadlineError(f"No complete answer within {self._timeout:g} s.")
        return min(left, GLANCE_SECONDS)


# A pooled connection serves many calls, each with a watch of its own. The client sets it; all I/O
# of a call happens in its own thread.
current_watch: ContextVar[Watch] = ContextVar("current_watch")


class Wire(httpcore2.NetworkStream):
    """A connected socket, plain or TLS, that obeys the watch of the call that uses it.

    The timeouts of httpcore are for single operations; they are ignored, as the watch is stricter.
    """

    def __init__(self, sock: socket.socket, address: str) -> None:
        self._sock = sock
        self._address = address

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        try:
            data = self._patiently(lambda: self._sock.recv(max_bytes))
        except OSError as exc:
            raise httpcore2.ReadError(words(exc)) from exc
        current_watch.get().heard |= bool(data)
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        rest = memoryview(buffer)
        try:
            while rest:
                rest = rest[self._patiently(lambda: self._sock.send(rest)) :]  # noqa: B023 - at once
        except OSError as exc:
            raise httpcore2.WriteError(words(exc)) from exc

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> Wire:
        try:
            secure = ssl_context.wrap_socket(
                self._sock, server_hostname=server_hostname, do_handshake_on_connect=False
            )
            self._sock = secure
            self._patiently(secure.do_handshake)
        except OSError as exc:
            self.close()
            raise httpcore2.ConnectError(words(exc)) from exc
        except BaseException:
            self.close()
            raise
        return self

    def close(self) -> None:
        self._sock.close()

    def get_extra_info(self, info: str) -> Any:
        match info:
            case "ssl_object" if isinstance(self._sock, ssl.SSLSocket):
                return self._sock
            case "server_addr":
                return self._address
            case "is_readable":  # of an idle connection: the other side has closed it
                return bool(ready(self._sock, select.POLLIN, 0))
        return None

    def _patiently(self, operation: Callable[[], T]) -> T:
        """Do ``operation`` in glances; a socket may be asked again after each that ran out."""
        while True:
            self._sock.settimeout(current_watch.get().glance())
            try:
                return operation()
            except TimeoutError:
                continue


def words(exc: OSError) -> str:
    """Say what went wrong, without the numbers and file names that Python adds."""
    if isinstance(exc, ssl.SSLError):
        return f"TLS: {getattr(exc, 'verify_message', '') or exc.reason or exc}"
    return exc.strerror or str(exc)


def ready(sock: socket.socket, event: int, seconds: float) -> bool:
    poll = select.poll()
    poll.register(sock, event)
    return bool(poll.poll(seconds * 1000))

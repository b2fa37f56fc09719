"""Ports of this machine: is one free, which other is."""

from __future__ import annotations

import errno
import socket

from embedded.errors import StartError

LOOPBACK = "127.0.0.1"
HIGHEST = 65535


def problem(port: int) -> OSError | None:
    """Why a server could not listen on ``port``; ``None`` if it could."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
            probe.listen(1)
        except OSError as exc:
            return exc
    return None


def require(port: int) -> None:
    """Raise ``StartError`` unless ``port``, where people will look for Chronos, is free."""
    exc = problem(port)
    if exc is None:
        return
    other = pick(port + 1) if port < HIGHEST else free()
    if exc.errno == errno.EADDRINUSE:
        raise StartError(
            f"Port {port} is in use by another program: stop that, or choose another port, "
            f"for example: make up CHRONOS_PORT={other}"
        )
    raise StartError(
        f"Port {port} cannot be used ({exc.strerror}): choose another, for example: "
        f"make up CHRONOS_PORT={other}"
    )


def pick(preferred: int) -> int:
    """``preferred`` if it is free, else any port that is."""
    return preferred if problem(preferred) is None else free()


def free() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])

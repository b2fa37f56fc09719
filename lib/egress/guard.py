"""The guard at the connect step: a name is resolved once, vetted whole, connected to literally."""

from __future__ import annotations

import errno
import os
import select
import socket
from concurrent.futures import Future, wait
from ipaddress import ip_address
from threading import Thread
from typing import TYPE_CHECKING, Any, TypeAlias

import httpcore2

from lib.egress.addresses import why_forbidden
from lib.egress.errors import ForbiddenTargetError, UnreachableError
from lib.egress.wire import Watch, Wire, current_watch, ready, words

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from lib.egress.addresses import Network

Endpoint: TypeAlias = tuple[socket.AddressFamily, tuple[Any, ...]]

CONNECT_SECONDS = 5.0  # for one address while another one is left to try


class GuardedBackend(httpcore2.NetworkBackend):
    """Resolve a name once, vet every address it has, and connect to one of these literally."""

    def __init__(self, allowed: Collection[Network]) -> None:
        self._allowed = allowed

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> Wire:
        """Raise ``ForbiddenTargetError`` if any address of ``host`` is forbidden."""
        watch = current_watch.get()
        endpoints = _resolve(host, port, watch)
        for _, address in endpoints:
            why = why_forbidden(ip_address(address[0]), self._allowed)
            if why:
                raise ForbiddenTargetError(f"{host} leads to {why}.")
        watch.connected = True
        return _connect_to_one(endpoints, watch)


def _resolve(host: str, port: int, watch: Watch) -> list[Endpoint]:
    # The resolver knows no deadline: it works in a thread that is left behind when time is up.
    lookup: Future[list[Endpoint]] = Future()
    Thread(target=_look_up, args=(host, port, lookup), name="look-up", daemon=True).start()
    while not wait([lookup], timeout=watch.glance()).done:
        pass
    return lookup.result()


def _look_up(host: str, port: int, lookup: Future[list[Endpoint]]) -> None:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        lookup.set_result([(family, address) for family, _, _, _, address in found])
    except (OSError, UnicodeError) as exc:
        problem = UnreachableError(f"{host} cannot be resolved.")
        problem.__cause__ = exc
        lookup.set_exception(problem)


def _connect_to_one(endpoints: list[Endpoint], watch: Watch) -> Wire:
    for endpoint in endpoints[:-1]:
        try:
            return _connect(endpoint, watch, patience=CONNECT_SECONDS)
        except OSError:
            continue
    try:
        return _connect(endpoints[-1], watch, patience=float("inf"))
    except OSError as exc:
        raise httpcore2.ConnectError(words(exc)) from exc


def _connect(endpoint: Endpoint, watch: Watch, *, patience: float) -> Wire:
    family, address = endpoint
    give_up_at = watch.elapsed + patience
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        code = sock.connect_ex(address)
        while code == errno.EINPROGRESS:
            if ready(sock, select.POLLOUT, watch.glance()):
                code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            elif watch.elapsed > give_up_at:
                code = errno.ETIMEDOUT
        if code:
            raise OSError(code, os.strerror(code))  # noqa: TRY301 - the socket is closed below
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except BaseException:
        sock.close()
        raise
    return Wire(sock, str(address[0]))

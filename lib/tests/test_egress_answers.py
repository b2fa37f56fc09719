"""Rules of lib/egress/client.py for answers that are bad, big or no HTTP at all."""

from __future__ import annotations

import gzip
import socket
import tracemalloc
from typing import TYPE_CHECKING, Any

import pytest

from lib import egress
from lib.tests.calls import call
from lib.tests.servers import (
    HEAD,
    STREAM,
    Server,
    answering,
    answering_then,
    repeating,
    resetting,
)

if TYPE_CHECKING:
    from collections.abc import Callable


pytestmark = pytest.mark.usefixtures("loopback")


@pytest.mark.parametrize(
    "behave",
    [
        resetting,
        answering_then(b""),
        answering_then(b"HTTP/1.1 what\r\n\r\n"),
        answering_then(b"SSH-2.0-OpenSSH_9.6\r\n\r\n"),
        answering_then(HEAD + b"no colon" * 1000 + b"\r\n\r\n"),
        answering_then(HEAD + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n12345"),
        answering_then(HEAD + b"Content-Length: 5\r\n\r\nabc"),
        answering_then(HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n"),
        answering_then(HEAD + b"Content-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc"),
        repeating(b"X-More: " + b"y" * 8000 + b"\r\n", after=HEAD),
        repeating(b"y" * 8000, after=b"HTTP/1.1 200 "),
    ],
)
def test_an_answer_that_is_not_http_is_unreachable(behave: Callable[..., None]) -> None:
    with Server(behave) as server, pytest.raises(egress.UnreachableError) as caught:
        call(server.url)

    assert len(str(caught.value)) <= 300


def test_a_closed_port_is_unreachable() -> None:
    with Server(answering()) as server:
        pass

    with pytest.raises(egress.UnreachableError, match="Connection refused"):
        call(server.url)


def test_a_name_that_nobody_knows_is_unreachable(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: Any, **__: Any) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)

    with pytest.raises(egress.UnreachableError, match=r"nobody.example cannot be resolved"):
        call("http://nobody.example/")


@pytest.mark.parametrize("size", [0, 9, 10, 11, 100])
def test_a_body_is_kept_up_to_its_limit(size: int) -> None:
    answer = HEAD + f"Content-Length: {size}\r\n\r\n".encode() + b"x" * size
    with Server(answering(answer)) as server:
        got = call(server.url, max_body=10)

    assert got.body == b"x" * min(size, 10)
    assert got.truncated == (size > 10)


@pytest.mark.parametrize("size", [0, 10, 11, 100_000])
def test_a_gzipped_body_is_kept_up_to_its_limit_decoded(size: int) -> None:
    packed = gzip.compress(b"x" * size)
    head = HEAD + f"Content-Encoding: gzip\r\nContent-Length: {len(packed)}\r\n\r\n".encode()
    with Server(answering(head + packed)) as server:
        got = call(server.url, max_body=10)

    assert got.body == b"x" * min(size, 10)
    assert got.truncated == (size > 10)


def test_a_compression_bomb_costs_what_is_kept_of_it() -> None:
    packed = gzip.compress(b"\0" * 200_000_000, compresslevel=1)
    head = HEAD + f"Content-Encoding: gzip\r\nContent-Length: {len(packed)}\r\n\r\n".encode()
    with Server(answering_then(head, packed)) as server:
        tracemalloc.start()
        got = call(server.url)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()

    assert (len(got.body), got.truncated) == (65536, True)
    assert peak < 5_000_000


def test_an_endless_body_is_cut_and_hung_up_on() -> None:
    sent = 0

    def endless(connection: socket.socket, server: Server) -> None:
        nonlocal sent
        server.receive(connection)
        connection.sendall(STREAM)
        while not server.closing.is_set():
            sent += connection.send(b"x" * 65536)

    with Server(endless) as server:
        got = call(server.url)
        server.threads[-1].join(timeout=5)  # it ends because the client has hung up
        hung_up = not server.threads[-1].is_alive()

    assert (len(got.body), got.truncated) == (65536, True)
    assert hung_up
    assert sent < 20_000_000

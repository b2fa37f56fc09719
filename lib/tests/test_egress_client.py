"""Rules of lib/egress/client.py for calls that go well, against real servers on loopback."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

import pytest

from lib import egress
from lib.tests.calls import Resolver, call
from lib.tests.servers import HEAD, OK, Server, answering, answering_then, resetting

if TYPE_CHECKING:
    pass

pytestmark = pytest.mark.usefixtures("loopback")


def test_an_answer_tells_status_headers_body_and_address() -> None:
    answer = HEAD + b"X-Twice: a\r\nx-twice: b\r\nContent-Length: 2\r\n\r\nhi"
    with Server(answering(answer)) as server:
        got = call(server.url + "a?b=c", method="POST", headers={"X-Own": "yes"}, body=b"body")

    assert (got.status_code, got.body, got.truncated, got.address) == (
        200,
        b"hi",
        False,
        "127.0.0.1",
    )
    assert got.is_success
    assert got.headers["x-twice"] == "a, b"
    assert 0 < got.elapsed.total_seconds() < 5
    (request,) = server.requests
    assert request.line == "POST /a?b=c HTTP/1.1"
    assert request.body == b"body"
    assert request.headers["host"] == f"127.0.0.1:{server.port}"
    assert request.headers["x-own"] == "yes"


def test_an_ipv6_host_is_named_in_brackets(resolver: Resolver) -> None:
    resolver.answers = [["127.0.0.1"]]  # not every machine has IPv6
    with Server(answering()) as server:
        call(f"http://[::1]:{server.port}/")

    assert resolver.asked == ["::1"]
    assert server.requests[0].headers["host"] == f"[::1]:{server.port}"


def test_connections_are_kept_for_the_next_call() -> None:
    with Server(answering()) as server:
        for _ in range(3):
            call(server.url)

        assert (server.connections, len(server.requests)) == (1, 3)


def test_a_forked_process_does_not_share_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    with Server(answering()) as server:
        call(server.url)
        monkeypatch.setattr(os, "getpid", lambda: 4_000_000)
        call(server.url)

        assert server.connections == 2


def test_a_connection_that_the_server_closed_is_not_used_again() -> None:
    with Server(answering_then(OK)) as server:
        for _ in range(3):
            assert call(server.url, method="POST").status_code == 200
            server.threads[-1].join(timeout=5)  # it has hung up

        assert server.connections == 3


def closing_on_second(connection: socket.socket, server: Server) -> None:
    """Answer one request and hang up on the next, as a server does that closes idle connections."""
    server.receive(connection)
    connection.sendall(OK)
    server.receive(connection)


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_an_idempotent_call_is_sent_again_when_its_open_connection_was_closed(method: str) -> None:
    with Server(closing_on_second) as server:
        call(server.url)
        got = call(server.url, method=method)

    assert got.status_code == 200
    assert (server.connections, len(server.requests)) == (2, 3)


@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_a_call_that_may_have_been_heard_is_not_sent_again(method: str) -> None:
    with Server(closing_on_second) as server:
        call(server.url)
        with pytest.raises(egress.UnreachableError):
            call(server.url, method=method)

    assert (server.connections, len(server.requests)) == (1, 2)


def test_a_call_on_a_connection_of_its_own_is_sent_once() -> None:
    with Server(resetting) as server, pytest.raises(egress.UnreachableError):
        call(server.url)

    assert len(server.requests) == 1


@pytest.mark.parametrize(("method", "length"), [("GET", None), ("POST", "0"), ("DELETE", None)])
def test_a_call_without_a_body_says_so_where_one_is_expected(
    method: str, length: str | None
) -> None:
    with Server(answering()) as server:
        call(server.url, method=method)

    assert server.requests[0].headers.get("content-length") == length


def test_a_cookie_of_one_call_is_not_sent_with_the_next() -> None:
    answer = HEAD + b"Set-Cookie: session=secret\r\nContent-Length: 0\r\n\r\n"
    with Server(answering(answer)) as server:
        call(server.url)
        call(server.url)

    assert [request.headers.get("cookie") for request in server.requests] == [None, None]


def test_a_proxy_of_the_environment_is_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    with Server(answering()) as proxy, Server(answering()) as server:
        for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
        call(server.url)

    assert (proxy.connections, server.connections) == (0, 1)


def test_a_redirect_is_an_answer() -> None:
    with Server(answering()) as canary:
        location = f"Location: {canary.url}\r\nContent-Length: 0\r\n\r\n".encode()
        with Server(answering(b"HTTP/1.1 302 Found\r\n" + location)) as server:
            got = call(server.url)

    assert got.status_code == 302
    assert not got.is_success
    assert canary.connections == 0


def test_a_method_that_chronos_does_not_know_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="CONNECT"):
        call("http://127.0.0.1/", method="CONNECT")


def test_what_is_allowed_is_spelled_as_networks() -> None:
    with pytest.raises(ValueError, match="host bits"):
        egress.configure(allow_private=["10.0.0.1/8"])

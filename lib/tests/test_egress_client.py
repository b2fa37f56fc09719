"""Rules of lib/egress/client.py and guard.py, against real servers on loopback."""

from __future__ import annotations

import gzip
import os
import socket
import ssl
import threading
import time
import tracemalloc
from typing import TYPE_CHECKING, Any

import pytest
import trustme
from django.conf import settings

from lib import egress
from lib.tests.servers import (
    OK,
    Server,
    answering,
    answering_then,
    hanging,
    repeating,
    resetting,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

HEAD = b"HTTP/1.1 200 OK\r\n"
STREAM = HEAD + b"Content-Length: 10000000000\r\n\r\n"


@pytest.fixture(autouse=True)
def loopback() -> Iterator[None]:
    egress.configure(allow_private=["127.0.0.0/8", "::1/128"])
    yield
    egress.configure(allow_private=settings.CHRONOS_HTTP_ALLOW_PRIVATE)


@pytest.fixture
def resolver(monkeypatch: pytest.MonkeyPatch) -> Resolver:
    made = Resolver()
    monkeypatch.setattr(socket, "getaddrinfo", made)
    return made


class Resolver:
    """Stands in for the network's resolver: the n-th look-up gets the n-th list of addresses."""

    def __init__(self) -> None:
        self.answers: list[list[str]] = []
        self.asked: list[str] = []

    def __call__(self, host: str, port: int, **_: Any) -> list[Any]:
        self.asked.append(host)
        addresses = self.answers[min(len(self.asked), len(self.answers)) - 1]
        return [
            (socket.AF_INET6 if ":" in address else socket.AF_INET, 1, 6, "", (address, port))
            for address in addresses
        ]


def call(url: str, *, method: str = "GET", timeout: float = 5, **rest: Any) -> egress.Answer:
    return egress.request(method, url, headers=rest.pop("headers", {}), timeout=timeout, **rest)


# The ordinary call


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


def test_a_call_over_ipv6_names_its_host_in_brackets() -> None:
    with Server(answering(), host="::1") as server:
        assert call(server.url).address == "::1"

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
        assert [call(server.url).status_code for _ in range(3)] == [200, 200, 200]


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


# The guard


def test_a_name_that_is_rebound_after_the_check_is_not_asked_again(resolver: Resolver) -> None:
    resolver.answers = [["127.0.0.2"], ["127.0.0.1"]]
    egress.configure(allow_private=["127.0.0.2/32"])
    with (
        Server(answering(), host="127.0.0.2") as server,
        Server(answering(), port=server.port) as canary,
    ):
        for _ in range(3):
            got = call(f"http://rebound.example:{server.port}/")

    assert got.address == "127.0.0.2"
    assert (server.connections, canary.connections) == (1, 0)
    assert resolver.asked == ["rebound.example"]


@pytest.mark.parametrize(
    "addresses",
    [["127.0.0.1"], ["127.0.0.2", "127.0.0.1"], ["127.0.0.1", "127.0.0.2"], ["127.0.0.2", "::1"]],
)
def test_a_name_is_refused_if_any_of_its_addresses_is(
    resolver: Resolver, addresses: list[str]
) -> None:
    resolver.answers = [addresses]
    egress.configure(allow_private=["127.0.0.2/32"])
    forbidden = pytest.raises(egress.ForbiddenTargetError, match="leads to a loopback address")
    with Server(answering(), host="0.0.0.0") as canary, forbidden:  # noqa: S104 - all of loopback
        call(f"http://some.example:{canary.port}/")

    assert canary.connections == 0


@pytest.mark.parametrize(
    "address",
    ["10.0.0.1", "169.254.169.254", "100.64.0.1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "fd00::1"],
)
def test_a_name_that_leads_inside_is_refused(resolver: Resolver, address: str) -> None:
    resolver.answers = [[address]]

    with pytest.raises(egress.ForbiddenTargetError):
        call("http://inside.example/")


def test_what_is_open_is_closed_when_its_network_is() -> None:
    with Server(answering()) as server:
        call(server.url)
        egress.configure(allow_private=[])
        with pytest.raises(egress.ForbiddenTargetError):
            call(server.url)

        assert len(server.requests) == 1


def test_the_next_address_is_tried_when_one_refuses(resolver: Resolver) -> None:
    resolver.answers = [["127.0.0.3", "127.0.0.2"]]
    with Server(answering(), host="127.0.0.2") as server:
        got = call(f"http://two.example:{server.port}/")

    assert got.address == "127.0.0.2"


# TLS


@pytest.fixture
def authority(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> trustme.CA:
    made = trustme.CA()
    made.cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    return made


def context_for(name: str, authority: trustme.CA) -> tuple[ssl.SSLContext, list[str | None]]:
    asked: list[str | None] = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    context.sni_callback = lambda _, asked_name, __: asked.append(asked_name)
    return context, asked


def test_a_vetted_address_is_called_by_its_name(resolver: Resolver, authority: trustme.CA) -> None:
    resolver.answers = [["127.0.0.1"]]
    tls, asked = context_for("svc.example", authority)
    with Server(answering(), tls=tls) as server:
        for _ in range(2):
            got = call(f"https://svc.example:{server.port}/")

    assert got.address == "127.0.0.1"
    assert asked == ["svc.example"]
    assert server.requests[0].headers["host"] == f"svc.example:{server.port}"


@pytest.mark.parametrize("name", ["other.example", "127.0.0.1"])
def test_a_certificate_for_another_name_is_refused(
    resolver: Resolver, authority: trustme.CA, name: str
) -> None:
    resolver.answers = [["127.0.0.1"]]
    tls, _ = context_for(name, authority)
    refused = pytest.raises(egress.UnreachableError, match="Hostname mismatch")
    with Server(answering(), tls=tls) as server, refused:
        call(f"https://svc.example:{server.port}/")

    assert server.requests == []


def test_a_certificate_that_nobody_vouches_for_is_refused(resolver: Resolver) -> None:
    resolver.answers = [["127.0.0.1"]]
    tls, _ = context_for("svc.example", trustme.CA())
    refused = pytest.raises(egress.UnreachableError, match="TLS")
    with Server(answering(), tls=tls) as server, refused:
        call(f"https://svc.example:{server.port}/")

    assert server.requests == []


# Bad answers


@pytest.mark.parametrize(
    "behave",
    [
        resetting,
        answering_then(b""),
        answering_then(b"HTTP/1.1 what\r\n\r\n"),
        answering_then(b"SSH-2.0-OpenSSH_9.6\r\n\r\n"),
        answering_then(b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n"),
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


# The deadline, and stopping


@pytest.mark.parametrize(
    "behave",
    [
        hanging,
        repeating(b"x", after=STREAM, pause=0.05),
        repeating(b"H", pause=0.05),
        repeating(b"X", after=HEAD, pause=0.05),
        repeating(b"HTTP/1.1 103 Early Hints\r\n\r\n", pause=0.01),
    ],
)
def test_a_call_ends_at_its_deadline(behave: Callable[..., None]) -> None:
    with Server(behave) as server:
        started = time.monotonic()
        with pytest.raises(egress.DeadlineError, match=r"within 0.5 s"):
            call(server.url, timeout=0.5)
        took = time.monotonic() - started

    assert 0.5 <= took < 1.5


def test_a_body_that_nobody_reads_ends_at_the_deadline() -> None:
    with Server(hanging) as server, pytest.raises(egress.DeadlineError):
        call(server.url, method="POST", body=b"x" * 20_000_000, timeout=0.3)


def test_a_tls_handshake_that_hangs_ends_at_the_deadline() -> None:
    with Server(hanging) as server, pytest.raises(egress.DeadlineError):
        call(server.url.replace("http:", "https:"), timeout=0.3)


def test_a_connect_that_hangs_ends_at_the_deadline() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        port = listener.getsockname()[1]
        filler = socket.create_connection(("127.0.0.1", port))  # a full queue answers no SYN
        with filler, pytest.raises(egress.DeadlineError):
            call(f"http://127.0.0.1:{port}/", timeout=0.3)


def test_a_look_up_that_hangs_ends_at_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    over = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: over.wait(10) and [])

    with pytest.raises(egress.DeadlineError):
        call("http://slow.example/", timeout=0.3)
    over.set()


@pytest.mark.parametrize("behave", [hanging, repeating(b"x", after=STREAM, pause=0.05)])
def test_a_call_ends_soon_after_it_is_stopped(behave: Callable[..., None]) -> None:
    stop = threading.Event()
    with Server(behave) as server:
        threading.Timer(0.2, stop.set).start()
        started = time.monotonic()
        with pytest.raises(egress.StoppedError):
            call(server.url, timeout=10, stop=stop)
        took = time.monotonic() - started

    assert took < 1.2


def test_a_healthy_call_works_after_a_bad_one() -> None:
    def second_time_lucky(connection: socket.socket, server: Server) -> None:
        (hanging if server.connections == 1 else answering())(connection, server)

    with Server(second_time_lucky) as server:
        with pytest.raises(egress.DeadlineError):
            call(server.url, timeout=0.3)

        assert call(server.url).status_code == 200

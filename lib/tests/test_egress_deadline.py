"""Rules of lib/egress/wire.py: a call ends at its deadline, or soon after it is stopped."""

from __future__ import annotations

import socket
import threading
import time
from typing import TYPE_CHECKING

import pytest

from lib import egress
from lib.tests.calls import call
from lib.tests.servers import HEAD, STREAM, Server, answering, hanging, repeating

if TYPE_CHECKING:
    from collections.abc import Callable


pytestmark = pytest.mark.usefixtures("loopback")


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

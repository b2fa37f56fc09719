"""Rules of lib/egress/guard.py: what a name leads to, and who answers to it."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

import pytest
import trustme

from lib import egress
from lib.tests.calls import Resolver, call
from lib.tests.servers import Server, answering

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("loopback")


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


@pytest.mark.parametrize("addresses", [["127.0.0.3", "127.0.0.2"], ["127.0.0.2", "127.0.0.3"]])
def test_the_next_address_is_tried_when_one_refuses(
    resolver: Resolver, addresses: list[str]
) -> None:
    resolver.answers = [addresses]
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

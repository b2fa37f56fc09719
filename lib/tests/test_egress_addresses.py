"""Rules of lib/egress/addresses.py."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

import pytest

from lib.egress.addresses import why_forbidden

EVERYTHING = [ip_network("0.0.0.0/0"), ip_network("::/0")]


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("127.0.0.1", "a loopback address"),
        ("127.255.255.254", "a loopback address"),
        ("::1", "a loopback address"),
        ("10.0.0.1", "a private address"),
        ("172.31.255.255", "a private address"),
        ("192.168.0.1", "a private address"),
        ("fc00::1", "a private address"),
        ("fdff::1", "a private address"),
        ("fec0::1", "a private address"),
        ("100.64.0.1", "a carrier-grade NAT address"),
        ("100.127.255.255", "a carrier-grade NAT address"),
        ("169.254.0.1", "a link-local address"),
        ("169.254.169.254", "a link-local address"),
        ("fe80::1", "a link-local address"),
        ("100.100.100.200", "a metadata address"),
        ("168.63.129.16", "a metadata address"),
        ("192.0.0.192", "a metadata address"),
        ("fd00:ec2::254", "a metadata address"),
        ("0.0.0.0", "an unspecified address"),  # noqa: S104 - not bound to
        ("0.1.2.3", "an unspecified address"),
        ("::", "an unspecified address"),
        ("224.0.0.1", "a multicast address"),
        ("ff02::1", "a multicast address"),
        ("255.255.255.255", "a broadcast address"),
        ("192.0.0.8", "a reserved address"),
        ("198.18.0.1", "a reserved address"),
        ("240.0.0.1", "a reserved address"),
        ("192.88.99.1", "a reserved address"),
        ("100::1", "a reserved address"),
        ("2001:10::1", "a reserved address"),
        ("4000::1", "a reserved address"),
        ("192.0.2.1", "a documentation address"),
        ("198.51.100.1", "a documentation address"),
        ("203.0.113.1", "a documentation address"),
        ("2001:db8::1", "a documentation address"),
        ("3fff::1", "a documentation address"),
        ("::ffff:8.8.8.8", "an address that embeds an IPv4 address"),
        ("64:ff9b::8.8.8.8", "an address that embeds an IPv4 address"),
        ("64:ff9b:1::8.8.8.8", "an address that embeds an IPv4 address"),
        ("::8.8.8.8", "an address that embeds an IPv4 address"),
        ("2002:808:808::1", "an address that embeds an IPv4 address"),
        ("2001:0:808:808::f7f7:f7f7", "an address that embeds an IPv4 address"),
    ],
)
def test_an_address_that_is_not_public_is_forbidden(address: str, why: str) -> None:
    assert why_forbidden(ip_address(address), []) == why


@pytest.mark.parametrize(
    "address",
    ["8.8.8.8", "1.1.1.1", "100.63.255.255", "100.128.0.1", "172.32.0.1", "2606:4700::1111"],
)
def test_a_public_address_is_allowed(address: str) -> None:
    assert why_forbidden(ip_address(address), []) is None


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("10.1.2.3", "10.0.0.0/8"),
        ("127.0.0.1", "127.0.0.0/8"),
        ("::1", "::1"),
        ("fd12::1", "fd12::/16"),
    ],
)
def test_a_listed_network_is_opened_and_no_other(address: str, network: str) -> None:
    allowed = [ip_network(network)]

    assert why_forbidden(ip_address(address), allowed) is None
    assert why_forbidden(ip_address("192.168.0.1"), allowed)


@pytest.mark.parametrize(
    "address",
    [
        "169.254.169.254",
        "169.254.170.2",
        "100.100.100.200",
        "168.63.129.16",
        "fd00:ec2::254",
        "fe80::a9fe:a9fe",
        "0.0.0.0",  # noqa: S104 - not bound to
        "224.0.0.1",
        "255.255.255.255",
        "::ffff:169.254.169.254",
        "64:ff9b::169.254.169.254",
        "64:ff9b:1::a9fe:a9fe",
        "2002:a9fe:a9fe::",
        "::ffff:0:169.254.169.254",
        "::100.100.100.200",
        "2001:0:808:808::5601:5601",  # Teredo writes the client's address inverted
        "2001:0:a9fe:a9fe::f7f7:f7f7",
    ],
)
def test_metadata_is_never_called_whatever_is_allowed(address: str) -> None:
    assert why_forbidden(ip_address(address), EVERYTHING)


def test_an_embedding_network_that_is_opened_is_as_good_as_what_it_embeds() -> None:
    nat64 = [ip_network("64:ff9b::/96")]

    assert why_forbidden(ip_address("64:ff9b::8.8.8.8"), nat64) is None
    assert why_forbidden(ip_address("64:ff9b::10.0.0.1"), nat64) == "a private address"

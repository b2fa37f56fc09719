"""Which addresses may be called: an explicit deny list on top of what ``ipaddress`` knows."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

Address: TypeAlias = IPv4Address | IPv6Address
Network: TypeAlias = IPv4Network | IPv6Network


def _table(rows: Mapping[str, str]) -> dict[str, tuple[Network, ...]]:
    return {why: tuple(map(ip_network, networks.split())) for why, networks in rows.items()}


# Never called, whatever the operator allows: no HTTP target lives there, only trouble. Clouds hand
# out credentials at the metadata addresses; link-local is where they put new ones.
NEVER = _table(
    {
        "a metadata address": "100.100.100.200 168.63.129.16 192.0.0.192 fd00:ec2::/32"
        " fd00:42::42 fd20:ce::254",
        "a link-local address": "169.254.0.0/16 fe80::/10",
        "an unspecified address": "0.0.0.0/8 ::/128",
        "a multicast address": "224.0.0.0/4 ff00::/8",
        "a broadcast address": "255.255.255.255",
    }
)

# Called only if the operator lists the network. ``ipaddress`` alone is not enough: it takes CGNAT
# for not private, and NAT64, IPv4-compatible and site-local addresses for global.
UNLESS_ALLOWED = _table(
    {
        "a loopback address": "127.0.0.0/8 ::1",
        "a private address": "10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 fc00::/7 fec0::/10",
        "a carrier-grade NAT address": "100.64.0.0/10",
        "an address that embeds an IPv4 address": "::/96 ::ffff:0:0/96 ::ffff:0:0:0/96"
        " 64:ff9b::/96 64:ff9b:1::/48 2001::/32 2002::/16",
        "a documentation address": "192.0.2.0/24 198.51.100.0/24 203.0.113.0/24 2001:db8::/32"
        " 3fff::/20",
        "a reserved address": "192.0.0.0/24 192.31.196.0/24 192.52.193.0/24 192.88.99.0/24"
        " 192.175.48.0/24 198.18.0.0/15 240.0.0.0/4 100::/64 2001::/23 3ffe::/16"
        # Only 2000::/3 is handed out to the world; this is the rest.
        " ::/3 4000::/2 8000::/1",
    }
)

_IPV4_IN_THE_LAST_BITS = tuple(
    ip_network(text)
    for text in ("::/96", "::ffff:0:0/96", "::ffff:0:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48")
)


def why_forbidden(address: Address, allowed: Collection[Network]) -> str | None:
    """Say in a few words why ``address`` must not be called; None if it may be.

    ``allowed`` opens networks that are closed otherwise, but none of ``NEVER``. An IPv6 address
    that embeds an IPv4 address is only as good as the one inside.
    """
    for each in (address, *_embedded(address)):
        why = _named(each, NEVER)
        if why is None and not any(each in network for network in allowed):
            why = _named(each, UNLESS_ALLOWED)
            why = why or (None if each.is_global else "not a public address")
        if why:
            return why
    return None


def _named(address: Address, table: Mapping[str, Iterable[Network]]) -> str | None:
    rows = table.items()
    return next((why for why, nets in rows if any(address in net for net in nets)), None)


def _embedded(address: Address) -> Iterator[IPv4Address]:
    if isinstance(address, IPv4Address) or int(address) <= 1:  # :: and ::1 embed nothing
        return
    if any(address in network for network in _IPV4_IN_THE_LAST_BITS):
        yield IPv4Address(int(address) & 0xFFFF_FFFF)
    if address.sixtofour:
        yield address.sixtofour
    if address.teredo:
        yield from address.teredo

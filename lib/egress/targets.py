"""Which URLs and headers a call may have, as far as that can be told without the network."""

from __future__ import annotations

import re
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import TYPE_CHECKING

import httpx2

from lib.egress.addresses import why_forbidden
from lib.egress.errors import ForbiddenTargetError, InvalidHeaderError, InvalidUrlError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from lib.egress.addresses import Address, Network

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
MAX_URL = 2048  # characters
MAX_HOST = 254  # characters: DNS names have 253, and a dot may end them
MAX_PORT = 65535

# The "bad ports" of the Fetch standard, which browsers refuse because something that is not HTTP
# listens there and may be talked into harm; below them what else answers to stray text inside.
# fmt: off
BAD_PORTS = frozenset([
    0, 1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101,
    102, 103, 104, 109, 110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427,
    465, 512, 513, 514, 515, 526, 530, 531, 532, 540, 548, 554, 556, 563, 587, 601, 636, 989, 990,
    993, 995, 1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667,
    6668, 6669, 6679, 6697, 10080,
    445, 873, 1433, 1521, 3306, 3389, 5432, 5672, 6379, 6432, 9042, 11211, 26379, 27017,
])

# They frame the message, steer the connection or name the host: the client sets them.
CLIENT_HEADERS = frozenset([
    "connection", "content-length", "expect", "host", "http2-settings", "keep-alive",
    "proxy-authenticate", "proxy-authorization", "proxy-connection", "te", "trailer",
    "transfer-encoding", "upgrade",
])
# fmt: on

_URL = re.compile(
    r"https?://(?P<host>\[[^\[\]]*\]|[^:@/?#\[\]]+)(?::(?P<port>[0-9]{0,5}))?(?:[/?#].*)?",
    re.ASCII | re.IGNORECASE,
)
_BLANK = re.compile(r"[\x00-\x20\x7f-\xa0\\]|\s")
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?", re.ASCII)
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*", re.ASCII)
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}", re.ASCII)
_VALUE = re.compile(r"(?:[!-~](?:[ -~\t]*[!-~])?)?", re.ASCII)
_LOOPBACK_NAMES = frozenset(["localhost", "localdomain", "ip6-localhost", "ip6-loopback"])


def parse_url(url: str, *, allowed: Collection[Network]) -> httpx2.URL:
    """Return ``url`` parsed, if it may be called as far as its text tells.

    Raises ``InvalidUrlError`` for anything that two parsers might read differently (blanks, control
    characters, backslashes, user names), another scheme or a port that is not for HTTP, and
    ``ForbiddenTargetError`` for a literal address that must not be called. Names are not resolved
    here: that happens at the moment of the call, together with the connection.
    """
    _check_spelling(url)
    try:
        parsed = httpx2.URL(url)
    except (httpx2.InvalidURL, UnicodeError) as exc:
        raise InvalidUrlError("This is not a valid URL.") from exc
    _check_host(parsed.raw_host.decode("ascii"), allowed)
    return parsed


def check_headers(headers: Mapping[str, str]) -> None:
    """Raise ``InvalidHeaderError`` unless each header can be sent as it stands, once.

    Names are tokens of at most 100 characters, values visible ASCII with inner blanks. Headers
    that frame the message or name the host are refused.
    """
    seen: set[str] = set()
    for name, value in headers.items():
        if not _TOKEN.fullmatch(name):
            raise InvalidHeaderError(f"{name[:100]!r} is not a header name.")
        if name.lower() in CLIENT_HEADERS:
            raise InvalidHeaderError(f"The header {name} cannot be set.")
        if name.lower() in seen:
            raise InvalidHeaderError(f"The header {name} is there twice.")
        if not _VALUE.fullmatch(value):
            raise InvalidHeaderError(f"The value of {name} may hold only visible ASCII characters.")
        seen.add(name.lower())


def _check_spelling(url: str) -> None:
    if len(url) > MAX_URL:
        raise InvalidUrlError(f"A URL has at most {MAX_URL} characters.")
    if _BLANK.search(url):
        raise InvalidUrlError("A URL has no blanks, control characters or backslashes.")
    match = _URL.fullmatch(url)
    if not match:
        raise InvalidUrlError("A URL reads http://host or https://host:port/path, without a user.")
    port = int(match["port"] or 80)
    if port in BAD_PORTS or port > MAX_PORT:
        raise InvalidUrlError(f"Port {port} is not for HTTP.")


def _check_host(host: str, allowed: Collection[Network]) -> None:
    labels = host.removesuffix(".").split(".")
    if ":" in host:
        _check_address(_ipv6(host), allowed)
    elif _NUMBER.fullmatch(labels[-1]):
        _check_address(_ipv4(labels), allowed)
    elif len(host) > MAX_HOST or not all(map(_LABEL.fullmatch, labels)):
        raise InvalidUrlError("The URL names no valid host.")
    elif labels[-1] in _LOOPBACK_NAMES:
        _check_address(IPv4Address("127.0.0.1"), allowed)


def _ipv6(text: str) -> IPv6Address:
    address = IPv6Address(text)
    if address.scope_id:
        raise ForbiddenTargetError("The target is an address with a zone.")
    return address


def _ipv4(labels: list[str]) -> IPv4Address:
    try:
        return IPv4Address(".".join(labels))
    except AddressValueError as exc:  # the resolver would take 2130706433 or 0x7f.1 for 127.0.0.1
        raise ForbiddenTargetError("Write the address as four plain decimal numbers.") from exc


def _check_address(address: Address, allowed: Collection[Network]) -> None:
    why = why_forbidden(address, allowed)
    if why:
        raise ForbiddenTargetError(f"The target is {why}.")

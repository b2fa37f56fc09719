"""Rules of lib/egress/targets.py: over two hundred spellings of a target that is refused."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_network
from typing import TYPE_CHECKING

import pytest

from lib import egress
from lib.egress.targets import parse_url
from lib.tests.servers import Server, answering

if TYPE_CHECKING:
    from collections.abc import Iterator

FORBIDDEN_IPV4 = (
    "127.0.0.1 127.1.2.3 10.0.0.1 172.16.0.1 192.168.1.1 169.254.169.254 100.100.100.200 100.64.0.1"
    " 0.0.0.0 224.0.0.1 255.255.255.255 198.18.0.1 240.0.0.1 192.0.2.1"
)
OTHERS = [
    "ftp://127.0.0.1:{port}/",
    "file:///etc/passwd",
    "gopher://127.0.0.1:{port}/_x",
    "ws://127.0.0.1:{port}/",
    "dict://127.0.0.1:{port}/",
    "unix:/run/redis.sock",
    "//127.0.0.1:{port}/",
    "127.0.0.1:{port}",
    "http:127.0.0.1",
    "http:/127.0.0.1:{port}/",
    "http:///127.0.0.1:{port}/",
    "http://",
    "https://:{port}/",
    "javascript:alert(1)",
    "http://localhost:{port}/",
    "http://LOCALHOST:{port}/",
    "http://localhost.:{port}/",
    "http://a.localhost:{port}/",
    "http://localhost.localdomain:{port}/",
    "http://ip6-localhost:{port}/",
    "http://user@127.0.0.1:{port}/",
    "http://user:secret@example.com/",
    "http://example.com@127.0.0.1:{port}/",
    "http://a@b@127.0.0.1:{port}/",
    "http://example.com:80@127.0.0.1:{port}/",
    "http://@127.0.0.1:{port}/",
    "http://example.com#@127.0.0.1:{port}\\/",
    "http://127.0.0.1:{port}\\@example.com/",
    "http://example.com\\@127.0.0.1:{port}/",
    "http://127.0.0.%31:{port}/",
    "http://%31%32%37.0.0.1:{port}/",
    "http://127.0.0.1%2eexample.com/",
    "http://127.0.0.1%00.example.com/",
    "http://[::1%lo]:{port}/",
    "http://[fe80::1%25eth0]:{port}/",
    "http://[::1]x:{port}/",
    "http://[127.0.0.1]:{port}/",
    "http://[::1",
    "http://::1:{port}/",
    "http://[v1.x]/",
    "http://[]/",
    "http://example.com:{port}:80/",
    "http://1.2.3.4.5/",
    "http://1.2.3/",
    "http://0x/",
    "http://256.1.1.1/",
    "http://1.2.3.08/",
    "http://example.123/",
    "http://-a.example/",
    "http://a..example/",
    "http://.example/",
    "http://ex!ample.com/",
    "http://{label64}.example/",
]
BLANKS = ["\t{}", "{}\r\n", "\n{}", " {}", "{} ", "{}\0", "{}\x7f", "{}\u00a0", "{}\u2028", "{}a b"]
PORTS = "0 1 22 25 53 110 143 445 587 993 3306 5432 6379 6667 11211 27017 65536 99999"
ODD_PORTS = ["+80", "8_0", "\uff18\uff10", "6379x", "-80", "0x50"]


def spellings(text: str) -> Iterator[str]:
    """Every way to write an IPv4 address that some resolver or library understands."""
    number = int(IPv4Address(text))
    a, b, c, d = IPv4Address(text).packed
    yield from (
        text,
        f"{text}.",
        str(number),
        f"0x{number:x}",
        f"0{number:o}",
        f"{a}.{number & 0xFFFFFF}",
    )
    yield from (f"{a}.{b}.{c * 256 + d}", f"0{a:o}.0{b:o}.0{c:o}.0{d:o}")
    yield from (f"{a:#x}.{b:#x}.{c:#x}.{d:#x}", f"{a:#x}.{b}.0{c:o}.{d}", f"{a:04}.{b}.{c}.{d}")
    yield text.translate({ord("0") + n: 0xFF10 + n for n in range(10)})  # full width
    yield text.translate(
        {ord("1") + n: 0x2460 + n for n in range(9)} | {ord("0"): 0x24EA}
    )  # circled
    yield text.replace(".", "\u3002")
    for prefix in ("::ffff:0:0", "::", "::ffff:0:0:0", "64:ff9b::", "64:ff9b:1::"):
        yield f"[{IPv6Address(int(IPv6Address(prefix)) + number)}]"
    yield f"[{IPv6Address((0x2002 << 112) + (number << 80))}]"
    yield f"[{IPv6Address((0x20010000 << 96) + (number ^ 0xFFFFFFFF))}]"


def variants(port: int) -> list[str]:
    hosts = [s for address in FORBIDDEN_IPV4.split() for s in spellings(address)]
    hosts += [
        "[::1]",
        "[::]",
        "[fd00:ec2::254]",
        "[fc00::1]",
        "[fec0::1]",
        "[fe80::1]",
        "[ff02::1]",
    ]
    return [
        *(f"http://{host}:{port}/" for host in hosts),
        *(text.format(port=port, label64="a" * 64) for text in OTHERS),
        *(blank.format(f"http://127.0.0.1:{port}/") for blank in BLANKS),
        *(blank.format("http://example.com/") for blank in BLANKS),
        *(f"http://example.com:{bad}/" for bad in PORTS.split() + ODD_PORTS),
        f"http://example.com/{'a' * 2048}",
        "http://example.com/\ud800",
        "",
    ]


def test_no_spelling_of_a_forbidden_target_reaches_it() -> None:
    with Server(answering(), host="0.0.0.0") as canary:  # noqa: S104 - all of loopback is watched
        refused = variants(canary.port)
        for url in refused:
            with pytest.raises((egress.ForbiddenTargetError, egress.InvalidUrlError)):
                egress.request("GET", url, headers={}, timeout=5)

    assert len(set(refused)) >= 200
    assert canary.connections == 0


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("http://example.com", "example.com"),
        ("HTTPS://Example.COM:8443/a/b?c=d&e=@#f", "example.com"),
        ("https://bücher.example/ü", "xn--bcher-kva.example"),
        ("http://8.8.8.8/", "8.8.8.8"),
        ("http://[2606:4700::1111]:8080/", "2606:4700::1111"),
        ("http://under_score.example./", "under_score.example."),
        ("http://svc", "svc"),
    ],
)
def test_an_ordinary_url_is_accepted(url: str, host: str) -> None:
    assert parse_url(url, allowed=[]).raw_host.decode() == host


def test_localhost_may_be_named_where_loopback_is_allowed() -> None:
    parsed = parse_url("http://localhost:8000/", allowed=[ip_network("127.0.0.0/8")])

    assert parsed.port == 8000


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Host", "example.com"),
        ("content-length", "5"),
        ("Transfer-Encoding", "chunked"),
        ("CONNECTION", "close"),
        ("Upgrade", "websocket"),
        ("Expect", "100-continue"),
        ("Proxy-Authorization", "x"),
        ("X-A\r\nX-B", "x"),
        ("X-A:", "x"),
        ("X A", "x"),
        ("", "x"),
        ("X-A\0", "x"),
        ("X-ü", "x"),
        ("X" * 101, "x"),
        ("X-A", "x\r\nX-B: y"),
        ("X-A", "x\n"),
        ("X-A", "x\0y"),
        ("X-A", " x"),
        ("X-A", "x "),
        ("X-A", "ü"),
        ("X-A", "\x1b[31m"),
    ],
)
def test_a_header_that_breaks_or_steers_the_message_is_refused(name: str, value: str) -> None:
    with pytest.raises(egress.InvalidHeaderError):
        egress.check_headers({name: value})


def test_a_header_is_there_once() -> None:
    with pytest.raises(egress.InvalidHeaderError, match="twice"):
        egress.check_headers({"X-A": "1", "x-a": "2"})


def test_ordinary_headers_are_accepted() -> None:
    egress.check_headers({"Authorization": "Bearer a.b-c", "X-Empty": "", "X-Tab": "a\tb c"})

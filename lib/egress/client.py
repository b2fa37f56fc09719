"""One pooled HTTP client per process, and the one function that calls outside."""

from __future__ import annotations

import os
import ssl
import zlib
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import ip_network
from typing import TYPE_CHECKING, TypeAlias

import httpcore2

from lib.egress import targets
from lib.egress.errors import UnreachableError
from lib.egress.guard import GuardedBackend
from lib.egress.wire import Watch, current_watch

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from threading import Event

    from lib.egress.addresses import Network

Header: TypeAlias = tuple[bytes | str, bytes | str]

IDLE_SECONDS = 1.5  # servers close an idle connection after 2 s and more; ours goes first
REPEATABLE = frozenset([b"GET", b"HEAD", b"PUT", b"DELETE", b"OPTIONS"])  # RFC 9110: idempotent
MAX_MESSAGE = 300  # characters: an answer that is not HTTP is quoted in its error
MAX_IDLE = 100  # connections kept open for the next call

_allowed: list[Network] = []
_pools: dict[int, httpcore2.ConnectionPool] = {}  # by process: a fork must not share sockets


@dataclass(frozen=True, slots=True)
class Answer:
    """What the other side said.

    ``headers`` have lower-case names; repeated ones are joined with ", ". ``body`` is decoded when
    it came gzipped, and ``truncated`` says that there was more. ``address`` is the one called.
    """

    status_code: int
    headers: dict[str, str]
    body: bytes
    truncated: bool
    elapsed: timedelta
    address: str

    @property
    def is_success(self) -> bool:
        return 200 <= self.status_code < 300  # noqa: PLR2004 - the 2xx of RFC 9110


def configure(*, allow_private: Iterable[str]) -> None:
    """Open the networks ``allow_private`` (``10.0.0.0/8``, ``::1``) to all calls of this process.

    Called once at the start. A name is called only if *all* its addresses may be, so who allows
    ``127.0.0.0/8`` and wants ``localhost`` allows ``::1`` as well. Raises ``ValueError`` for text
    that is no network.
    """
    _allowed[:] = [ip_network(network) for network in allow_private]
    while _pools:  # what is open was vetted by the old rules
        _pools.popitem()[1].close()


def check_url(url: str) -> None:
    """Raise ``InvalidUrlError`` or ``ForbiddenTargetError`` if ``url`` can never be called.

    Resolves nothing; what a name leads to is checked at the moment of each call.
    """
    targets.parse_url(url, allowed=_allowed)


def request(  # noqa: PLR0913 - these are the parts of a call
    method: str,
    url: str,
    *,
    headers: Mapping[str, str],
    body: bytes | None = None,
    timeout: float,
    max_body: int = 64 * 1024,
    stop: Event | None = None,
) -> Answer:
    """Call ``url`` once and return the answer, whatever its status; redirects are not followed.

    The whole call ends within ``timeout`` seconds, from the look-up of the name to the last byte,
    and soon after ``stop`` is set. At most ``max_body`` bytes of the decoded body are read; then
    the connection is closed. Raises an ``EgressError`` when there is no answer.
    """
    if method not in targets.METHODS:
        raise ValueError(f"{method!r} is not a method that Chronos calls with")
    targets.check_headers(headers)
    target = targets.parse_url(url, allowed=_allowed)
    message = httpcore2.Request(
        method,
        httpcore2.URL(
            scheme=target.raw_scheme, host=target.raw_host, port=target.port, target=target.raw_path
        ),
        headers=[("Host", target.netloc), *_framing(method, body), *_completed(headers)],
        content=body,
    )
    watch = Watch(timeout, stop)
    token = current_watch.set(watch)
    try:
        with closing(_send(message, watch)) as response:
            return _answer(response, max_body=max_body, watch=watch)
    except (httpcore2.NetworkError, httpcore2.ProtocolError) as exc:
        raise UnreachableError(f"{target.host}: {exc}"[:MAX_MESSAGE]) from exc
    finally:
        current_watch.reset(token)


def _send(message: httpcore2.Request, watch: Watch) -> httpcore2.Response:
    """Send ``message``, again if the connection kept open for it was closed at the other end."""
    while True:
        try:
            return _pool().handle_request(message)
        except (httpcore2.NetworkError, httpcore2.ProtocolError):
            if not watch.on_stale_connection or message.method not in REPEATABLE:
                raise


def _pool() -> httpcore2.ConnectionPool:
    # httpx2's own client is left out on purpose: it would keep one target's cookies for the next
    # job, build the redirects we do not follow, and log every URL with its query.
    pool = _pools.get(os.getpid())
    return pool or _pools.setdefault(
        os.getpid(),
        httpcore2.ConnectionPool(
            ssl_context=ssl.create_default_context(),
            max_connections=None,  # the number of threads is the limit
            max_keepalive_connections=MAX_IDLE,
            keepalive_expiry=IDLE_SECONDS,
            network_backend=GuardedBackend(_allowed),
        ),
    )


def _framing(method: str, body: bytes | None) -> list[Header]:
    if body is None and method not in ("POST", "PUT", "PATCH"):
        return []
    return [("Content-Length", str(len(body or b"")))]


def _completed(headers: Mapping[str, str]) -> list[Header]:
    defaults = {"accept": "*/*", "accept-encoding": "gzip", "user-agent": "Chronos"}
    given = {name.lower() for name in headers}
    missing = [(name, value) for name, value in defaults.items() if name not in given]
    return [*headers.items(), *missing]


def _answer(response: httpcore2.Response, *, max_body: int, watch: Watch) -> Answer:
    headers = _joined(response.headers)
    chunks = response.iter_stream()
    if headers.get("content-encoding", "").lower() in ("gzip", "x-gzip"):
        chunks = _gunzipped(chunks, most=max_body + 1)
    body, truncated = _read(chunks, limit=max_body)
    return Answer(
        status_code=response.status,
        headers=headers,
        body=body,
        truncated=truncated,
        elapsed=timedelta(seconds=watch.elapsed),
        address=response.extensions["network_stream"].get_extra_info("server_addr"),
    )


def _joined(pairs: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    joined: dict[str, str] = {}
    for raw_name, raw_value in pairs:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        joined[name] = f"{joined[name]}, {value}" if name in joined else value
    return joined


def _read(chunks: Iterable[bytes], *, limit: int) -> tuple[bytes, bool]:
    kept = bytearray()
    for chunk in chunks:
        kept += chunk
        if len(kept) > limit:
            return bytes(kept[:limit]), True
    return bytes(kept), False


def _gunzipped(chunks: Iterable[bytes], *, most: int) -> Iterator[bytes]:
    """Unpack one layer of gzip, at most ``most`` bytes at once: a bomb costs what is kept of it."""
    gunzip = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    try:
        for chunk in chunks:
            if not gunzip.eof:  # what follows the end would pile up unread
                yield gunzip.decompress(chunk, most)
    except zlib.error as exc:
        raise UnreachableError("The answer says it is gzip, but is not.") from exc

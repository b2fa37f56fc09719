"""Flower under our own address and sign-in: a reverse proxy that reads, and nothing else."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import quote
from weakref import WeakKeyDictionary

import httpx2
import structlog
from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpResponse, HttpResponseNotAllowed, StreamingHttpResponse
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt

from chronos_project.api_errors import FORBIDDEN, unavailable
from chronos_project.problem_details import Failure
from chronos_project.problems import respond, wants_json

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from django.http import HttpRequest
    from django.http.response import HttpResponseBase

log = structlog.get_logger(__name__)

PREFIX = "/flower/"
# Its pages and what they load. Not its metrics and health check, which ask for no password, and
# not its sign-in.
READABLE = frozenset({"api", "broker", "static", "task", "tasks", "worker", "workers"})
SEARCH = "tasks/datatable"  # its list of tasks posts what to search for; that changes nothing
ASKED = ("Accept", "Accept-Language", "If-Modified-Since", "If-None-Match", "X-Requested-With")
ANSWERED = (
    "Cache-Control",
    "Content-Encoding",
    "Content-Length",
    "Content-Type",
    "ETag",
    "Last-Modified",
    "Vary",
)
TIMEOUT = httpx2.Timeout(15, connect=2)  # seconds
MISCONFIGURED = frozenset({401, 403})  # what it says to us must not look as if said to the user

NOT_SIGNED_IN = Failure(
    status=401, code="not_authenticated", detail="Sign in to the admin to see Flower."
)

_clients: WeakKeyDictionary[asyncio.AbstractEventLoop, httpx2.AsyncClient] = WeakKeyDictionary()


@csrf_exempt  # nothing here changes anything
async def proxy(request: HttpRequest, path: str = "") -> HttpResponseBase:
    """Answer with what Flower says to staff; ``path`` is what follows ``/flower/``."""
    refusal = await _refusal(request, path)
    if refusal:
        return refusal
    try:
        answer = await _ask(request, path)
    except httpx2.HTTPError as exc:
        log.warning("flower.away", error=repr(exc))
        return respond(request, unavailable("flower"))
    if (
        answer.status_code in MISCONFIGURED
        or answer.is_server_error
        or answer.has_redirect_location
    ):
        await answer.aclose()
        log.warning("flower.refused", status=answer.status_code)
        return respond(request, unavailable("flower"))
    return await _passed_on(request, answer)


async def _refusal(request: HttpRequest, path: str) -> HttpResponseBase | None:
    user = await request.auser()
    if not user.is_active or not user.is_staff:
        return _turned_away(request, path, known=user.is_authenticated)
    if request.method not in {"GET", "HEAD"} and (request.method, path) != ("POST", SEARCH):
        return HttpResponseNotAllowed(["GET", "HEAD"])
    segments = path.split("/")
    if path and (segments[0] not in READABLE or {".", ".."} & set(segments)):
        raise Http404
    return None if settings.CHRONOS_FLOWER_URL else respond(request, unavailable("flower"))


def _turned_away(request: HttpRequest, path: str, *, known: bool) -> HttpResponse:
    if path.startswith("api/") or wants_json(request):
        return respond(request, FORBIDDEN if known else NOT_SIGNED_IN)
    return redirect_to_login(request.get_full_path(), reverse("admin:login"))


async def _ask(request: HttpRequest, path: str) -> httpx2.Response:
    """Always a GET. The user's cookies and credentials stay here; Flower gets our own."""
    query = request.POST.urlencode() if request.method == "POST" else request.META["QUERY_STRING"]
    where = PREFIX + quote(path) + (f"?{query}" if query else "")
    url = httpx2.URL(settings.CHRONOS_FLOWER_URL).copy_with(raw_path=where.encode())
    headers = {name: request.headers[name] for name in ASKED if name in request.headers}
    client = _client()
    asked = client.build_request("GET", url, headers=headers)
    return await client.send(asked, stream=True)


async def _passed_on(request: HttpRequest, answer: httpx2.Response) -> HttpResponseBase:
    body = _body(answer)
    await anext(body)  # see there
    response: HttpResponse | StreamingHttpResponse
    if request.method == "HEAD" or answer.status_code == HTTPStatus.NOT_MODIFIED:
        await body.aclose()
        response = HttpResponse(status=answer.status_code)
    else:
        response = StreamingHttpResponse(body, status=answer.status_code)
    for name in ANSWERED:
        if name in answer.headers:
            response[name] = answer.headers[name]
    response.passed_on = True  # type: ignore[union-attr]  # see ProblemMiddleware
    return response


async def _body(answer: httpx2.Response) -> AsyncGenerator[bytes, None]:
    """Yield nothing first: a generator that has begun is closed even if nobody reads on, and with
    it goes the connection."""
    try:
        yield b""
        async for piece in answer.aiter_raw():
            yield piece
    finally:
        await answer.aclose()


def _client() -> httpx2.AsyncClient:
    """The connections of this event loop. They go to a process of ours, so not through egress."""
    loop = asyncio.get_running_loop()
    if loop not in _clients:
        limits = httpx2.Limits(max_connections=10, max_keepalive_connections=4)
        _clients[loop] = httpx2.AsyncClient(timeout=TIMEOUT, limits=limits, trust_env=False)
    return _clients[loop]

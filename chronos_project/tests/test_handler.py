"""The way of a request through the web process: to a thread and back, or through coroutines."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from asgiref.testing import ApplicationCommunicator
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.test import override_settings
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from chronos_project.handler import Fork, ThreadHandler

Server: Any = ApplicationCommunicator  # has no types

seen: list[Any] = []


@csrf_exempt
def whole(request: HttpRequest) -> HttpResponse:
    seen.append(threading.current_thread().name)
    response = HttpResponse(request.body, status=201, headers={"X-Own": "1"})
    response.set_cookie("a", "b")
    return response


def broken(request: HttpRequest) -> HttpResponse:
    raise RuntimeError("of a view")


def streaming(request: HttpRequest) -> StreamingHttpResponse:
    async def pieces() -> AsyncIterator[bytes]:
        try:
            yield b"first"
            await asyncio.sleep(60)
        finally:
            seen.append("ended")

    return StreamingHttpResponse(pieces())


def short(request: HttpRequest) -> StreamingHttpResponse:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"first "
        yield b"last"

    return StreamingHttpResponse(pieces())


urlpatterns = [path("whole", whole), path("broken", broken), path("streaming", streaming)]
urlpatterns += [path("short", short)]


def scope(where: str, method: str = "GET") -> dict[str, Any]:
    return {
        "type": "http",
        "http_version": "1.1",
        "method": method,
        "path": where,
        "raw_path": where.encode(),
        "query_string": b"",
        "headers": [(b"host", b"localhost")],
    }


def served(talk: Callable[[Any], Any], where: str, method: str = "GET") -> Any:
    """Let ``talk`` talk to the handler about one request, with the views above."""
    seen.clear()

    async def about_it() -> Any:
        server = Server(ThreadHandler(), scope(where, method))
        return await talk(server)

    with override_settings(ROOT_URLCONF=__name__):
        return async_to_sync(about_it)()


async def answer(server: Any, *chunks: bytes) -> tuple[int, dict[bytes, bytes], bytes]:
    for number, chunk in enumerate(chunks or (b"",), start=1):
        more = number < len(chunks)
        await server.send_input({"type": "http.request", "body": chunk, "more_body": more})
    start = await server.receive_output(timeout=20)
    body, more = b"", True
    while more:
        message = await server.receive_output(timeout=20)
        body += message.get("body", b"")
        more = message.get("more_body", False)
    await server.wait()
    return start["status"], dict(start["headers"]), body


def test_a_request_is_answered_by_one_thread() -> None:
    async def talk(server: Any) -> Any:
        return await answer(server, b"a", b"b")

    status, headers, body = served(talk, "/whole", "POST")

    assert (status, body, headers[b"X-Own"]) == (201, b"ab", b"1")
    assert headers[b"Set-Cookie"].startswith(b"a=b")
    assert [name.startswith("web") for name in seen] == [True]


def test_what_a_view_raises_is_a_500() -> None:
    assert served(answer, "/broken")[0] == 500


def test_a_file_is_sent_whole() -> None:
    status, headers, body = served(answer, "/static/admin/css/base.css")

    assert status == 200
    assert int(headers[b"Content-Length"]) == len(body) > 1000


def test_an_answer_may_come_in_pieces() -> None:
    assert served(answer, "/short")[2] == b"first last"


def test_whoever_hangs_up_ends_the_stream() -> None:
    async def talk(server: Any) -> None:
        await server.send_input({"type": "http.request"})
        await server.receive_output(timeout=20)
        assert (await server.receive_output(timeout=20))["body"] == b"first"
        await server.send_input({"type": "http.disconnect"})
        await server.wait(timeout=20)

    served(talk, "/streaming")

    assert seen == ["ended"]


def test_whoever_hangs_up_while_sending_gets_no_answer() -> None:
    async def talk(server: Any) -> None:
        await server.send_input({"type": "http.request", "body": b"a", "more_body": True})
        await server.send_input({"type": "http.disconnect"})
        await server.wait(timeout=20)
        assert await server.receive_nothing()

    served(talk, "/whole", "POST")

    assert seen == []


@pytest.mark.parametrize(
    ("told", "way"),
    [
        ({"type": "http", "path": "/live"}, "coroutines"),
        ({"type": "http", "path": "/live/x"}, "coroutines"),
        ({"type": "http", "path": "/lively"}, "threads"),
        ({"type": "http", "path": "/api/live"}, "threads"),
        ({"type": "lifespan"}, "coroutines"),
    ],
)
def test_coroutines_have_addresses_of_their_own(told: dict[str, Any], way: str) -> None:
    called: list[str] = []

    def app(name: str) -> Any:
        async def note(*_: Any) -> None:
            called.append(name)

        return note

    fork = Fork(re.compile(r"/live(?:/|\Z)"), coroutines=app("coroutines"), threads=app("threads"))

    async def ask() -> None:
        await Server(fork, told).wait()

    async_to_sync(ask)()

    assert called == [way]

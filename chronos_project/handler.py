"""Django behind ASGI: each request goes to a thread once, and comes back as an answer."""

from __future__ import annotations

import asyncio
import contextlib
from concurrent.futures import ThreadPoolExecutor
from contextvars import Context
from io import BytesIO
from typing import TYPE_CHECKING, Any

from django.core import signals
from django.core.handlers.asgi import ASGIHandler, get_script_prefix
from django.core.handlers.base import BaseHandler
from django.http import HttpResponse
from django.urls import set_script_prefix

if TYPE_CHECKING:
    from collections.abc import Callable
    from re import Pattern

    from chronos_project.body_limit import App, Receive, Scope, Send

MOST_THREADS = 256  # they are kept; most of many sleep, because somebody waits for an execution


class ThreadHandler(ASGIHandler):
    """Serves views that are no coroutines, each request in one thread from end to end.

    Django's own handler changes threads a dozen times for a request, and makes a new one for each:
    that costs more than most of our views do.
    """

    def __init__(self) -> None:
        BaseHandler.__init__(self)
        self.load_middleware(is_async=False)
        self._threads = ThreadPoolExecutor(MOST_THREADS, thread_name_prefix="web")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await _read(receive)
        if body is None:
            return
        response = await self._in_thread(self._respond, scope, body)
        if response.streaming:
            await self._stream(response, receive, send)
        else:
            await self.send_response(response, send)

    def _respond(self, scope: Scope, body: bytes) -> Any:
        """Answer a request. What does not stream is complete and closed: its connection is free."""
        set_script_prefix(get_script_prefix(scope))
        signals.request_started.send(sender=self.__class__, scope=scope)
        request, refusal = self.create_request(scope, BytesIO(body))
        response: Any = refusal if request is None else self.get_response(request)
        response._handler_class = self.__class__  # whom its end is told of
        if response.streaming and response.is_async:
            return response
        if response.streaming:
            response = _whole(response)
        response.close()
        return response

    async def _stream(self, response: Any, receive: Receive, send: Send) -> None:
        """Send until the end, or until the caller hangs up."""
        sending = asyncio.create_task(self.send_response(response, send))
        leaving = asyncio.create_task(_hung_up(receive))
        try:
            await asyncio.wait([sending, leaving], return_when=asyncio.FIRST_COMPLETED)
        finally:
            leaving.cancel()
            sending.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await sending
            await self._in_thread(response.close)

    async def _in_thread(self, function: Callable[..., Any], *values: Any) -> Any:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, Context().run, function, *values)


class Fork:
    """Sends requests whose path matches ``awaited`` to ``coroutines``, others to ``threads``."""

    def __init__(self, awaited: Pattern[str], *, coroutines: App, threads: App) -> None:
        self.awaited = awaited
        self.coroutines = coroutines
        self.threads = threads

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_awaited = scope["type"] != "http" or self.awaited.match(scope["path"])
        await (self.coroutines if is_awaited else self.threads)(scope, receive, send)


def _whole(response: Any) -> HttpResponse:
    """Read a file, which it does faster than the loop could."""
    whole = HttpResponse(b"".join(response.streaming_content), status=response.status_code)
    whole.headers = response.headers
    whole.cookies = response.cookies
    whole._handler_class = response._handler_class  # type: ignore[attr-defined]  # as above
    whole._resource_closers = response._resource_closers  # type: ignore[attr-defined]  # its file
    return whole


async def _read(receive: Receive) -> bytes | None:
    """Return the body of a request; ``None`` when its sender hangs up."""
    chunks: list[bytes] = []
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        chunks.append(message.get("body", b""))
        more = message.get("more_body", False)
    return b"".join(chunks)


async def _hung_up(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass

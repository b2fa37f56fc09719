"""Reads the body of a request up to a limit, before anything of it reaches the disk."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from django.conf import settings

Scope = dict[str, Any]
Message = Mapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

DRAIN = 16
"""How many times the limit is read and thrown away, so that the sender gets to see the answer."""

MANY = re.compile(r"/api/v1/jobs/[^/]+/executions/?\Z")
"""Where one request may bring many starts."""

MANY_BYTES = 8 * 1024 * 1024
"""As ``lib.ndjson`` has it, which must not be imported here: it reads settings, and the servers'
entry points change what they say."""


def limit_of(path: str) -> int:
    """Return how many bytes the body of a request to ``path`` may have."""
    usual: int = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    return max(usual, MANY_BYTES) if MANY.match(path) else usual


class BodyLimit:
    """Wraps Django's ASGI application.

    Django spools a body to the disk before it looks at its size, and DRF takes one without a
    ``Content-Length`` for empty. Here a body has a known length, and one that is too long is not
    handed on: only its length is, which ``ProblemMiddleware`` answers with 413.
    """

    def __init__(self, app: App) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        body, length = b"", _declared(scope)
        limit = limit_of(scope["path"])
        if length <= limit * DRAIN:
            body, length = await _read(receive, limit)
        if length < 0:
            return  # whoever sent it is gone
        headers = [pair for pair in scope["headers"] if pair[0] != b"content-length"]
        if length or len(headers) < len(scope["headers"]):
            headers.append((b"content-length", str(length).encode()))
        await self.app({**scope, "headers": headers}, _replay(body, receive), send)


async def _read(receive: Receive, limit: int) -> tuple[bytes, int]:
    """Return the body, or nothing of one that is too long, and its length as far as read.

    The length is -1 when the sender hangs up.
    """
    chunks: list[bytes] = []
    length = 0
    more = True
    while more and length <= limit * DRAIN:
        message = await receive()
        if message["type"] == "http.disconnect":
            return b"", -1
        chunk = message.get("body", b"")
        length += len(chunk)
        more = message.get("more_body", False)
        if length <= limit:
            chunks.append(chunk)
    return b"".join(chunks) if length <= limit else b"", length


def _declared(scope: Scope) -> int:
    """Return the length that the request claims to have, 0 if it claims none."""
    lengths = [value for name, value in scope["headers"] if name == b"content-length"]
    return int(lengths[0]) if lengths and lengths[0].isdigit() else 0


def _replay(body: bytes, receive: Receive) -> Receive:
    """Hand on ``body`` in one piece, then whatever the server tells except more of it."""
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive_again() -> Message:
        if waiting:
            return waiting.pop()
        while (message := await receive())["type"] == "http.request":
            pass
        return message

    return receive_again

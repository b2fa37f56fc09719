"""Reads the body of a request up to a limit, before anything of it reaches the disk."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

Scope = dict[str, Any]
Message = Mapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

DRAIN = 16
"""How many times the limit is read and thrown away, so that the sender gets to see the answer."""


class BodyLimit:
    """Wraps Django's ASGI application.

    Django spools a body to the disk before it looks at its size, and DRF takes one without a
    ``Content-Length`` for empty. Here a body has a known length, and one that is too long is not
    handed on: only its length is, which ``ProblemMiddleware`` answers with 413.
    """

    def __init__(self, app: App, *, limit: int) -> None:
        self.app = app
        self.limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        body, length = b"", _declared(scope)
        if length <= self.limit * DRAIN:
            body, length = await self._read(receive)
        if length < 0:
            return  # whoever sent it is gone
        headers = [pair for pair in scope["headers"] if pair[0] != b"content-length"]
        if length or len(headers) < len(scope["headers"]):
            headers.append((b"content-length", str(length).encode()))
        await self.app({**scope, "headers": headers}, _replay(body, receive), send)

    async def _read(self, receive: Receive) -> tuple[bytes, int]:
        """Return the body, or nothing of one that is too long, and its length as far as read.

        The length is -1 when the sender hangs up.
        """
        chunks: list[bytes] = []
        length = 0
        more = True
        while more and length <= self.limit * DRAIN:
            message = await receive()
            if message["type"] == "http.disconnect":
                return b"", -1
            chunk = message.get("body", b"")
            length += len(chunk)
            more = message.get("more_body", False)
            if length <= self.limit:
                chunks.append(chunk)
        return b"".join(chunks) if length <= self.limit else b"", length


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

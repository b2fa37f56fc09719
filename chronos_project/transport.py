"""The way to the broker: kombu's, but what is no message stops no worker."""

from __future__ import annotations

from queue import Empty
from typing import Any

import structlog
from kombu.transport import redis

log = structlog.get_logger(__name__)


class Channel(redis.Channel):
    """Drops what cannot be read as a message; kombu lets it end the worker.

    Keeps the client that it sends with; kombu makes one for each batch of messages, which costs as
    much as to send it.
    """

    _sender: Any = None

    def _create_client(self, asynchronous: bool = False) -> Any:
        if asynchronous:
            return super()._create_client(asynchronous=True)  # type: ignore[no-untyped-call]  # kombu
        if self._sender is None or self._sender.connection_pool is not self.pool:
            self._sender = super()._create_client()  # type: ignore[no-untyped-call]  # as above
        return self._sender

    def _brpop_read(self, **options: Any) -> Any:
        try:
            return super()._brpop_read(**options)  # type: ignore[no-untyped-call]  # kombu
        except (ValueError, KeyError, TypeError, AttributeError) as exc:
            log.warning("broker.not_a_message", error=repr(exc))
            raise Empty from exc


class Transport(redis.Transport):
    Channel = Channel

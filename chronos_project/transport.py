"""The way to the broker: kombu's, but neither a bad message nor a refusal ends a worker."""

from __future__ import annotations

from queue import Empty
from typing import Any

import structlog
from kombu.transport import redis
from redis.exceptions import ResponseError

log = structlog.get_logger(__name__)


class Channel(redis.Channel):
    """Drops what cannot be read as a message; kombu lets it end the worker."""

    def _brpop_read(self, **options: Any) -> Any:
        try:
            return super()._brpop_read(**options)  # type: ignore[no-untyped-call]  # kombu
        except (ValueError, KeyError, TypeError, AttributeError) as exc:
            log.warning("broker.not_a_message", error=repr(exc))
            raise Empty from exc


class Transport(redis.Transport):
    """Waits while the broker refuses to serve; kombu lets it end the worker.

    A broker that is read-only, full, loading, or without its replicas answers with an error. That
    is as good as being away, and passes like it.
    """

    Channel = Channel
    connection_errors = (*redis.Transport.connection_errors, ResponseError)

    def _get_errors(self) -> tuple[tuple[type[Exception], ...], tuple[type[Exception], ...]]:
        return self.connection_errors, redis.Transport.channel_errors

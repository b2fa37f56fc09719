"""The way to the broker: kombu's, but what is no message stops no worker."""

from __future__ import annotations

from queue import Empty
from typing import Any

import structlog
from kombu.transport import redis

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
    Channel = Channel

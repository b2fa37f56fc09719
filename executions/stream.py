"""The Redis stream of events: what live pages follow. Old entries are dropped from it."""

from __future__ import annotations

import json
from datetime import UTC
from typing import TYPE_CHECKING, Any

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

from executions import broker

if TYPE_CHECKING:
    from collections.abc import Sequence

    from executions.models import OutboxEvent

KEPT = 100_000  # entries, roughly: some minutes at full load, days on a quiet installation

# What Redis answers while it takes nothing at all; any other answer is about the one entry.
TAKES_NOTHING = (
    redis.exceptions.OutOfMemoryError,
    redis.exceptions.ReadOnlyError,
    redis.exceptions.BusyLoadingError,
    redis.exceptions.AuthenticationError,
    redis.exceptions.NoPermissionError,
)

_client: redis.Redis | None = None


class ChannelAwayError(Exception):
    """The channel takes nothing at the moment; try again later."""


def client() -> redis.Redis:
    """This process's client for events: it waits shortly, and repeats nothing by itself."""
    global _client  # noqa: PLW0603  one pool a process
    if _client is None:
        _client = redis.Redis.from_url(
            settings.REDIS_URL,
            socket_connect_timeout=1,
            socket_timeout=2,
            retry=Retry(NoBackoff(), 0),
        )
    return _client


def key() -> str:
    return f"{settings.CELERY_BROKER_TRANSPORT_OPTIONS['global_keyprefix']}events"


class RedisStream:
    """The channel of the outbox that fills the stream."""

    def send(self, events: Sequence[OutboxEvent]) -> dict[int, str]:
        """Append ``events`` in one round trip; return the ids of those that Redis refuses."""
        try:
            broker.check()
            with client().pipeline(transaction=False) as pipe:
                for event in events:
                    pipe.xadd(key(), _entry(event), maxlen=KEPT, approximate=True)
                answers = pipe.execute(raise_on_error=False)
        except (redis.RedisError, OSError) as exc:
            broker.rest()
            raise ChannelAwayError(repr(exc)) from exc
        return _refused(events, answers)


def _entry(event: OutboxEvent) -> dict[Any, Any]:
    return {
        "id": event.pk,
        "at": event.at.astimezone(UTC).isoformat(),
        "topic": event.topic,
        "team": str(event.team_id or ""),
        "subject": str(event.subject or ""),
        "body": json.dumps(event.body),
    }


def _refused(events: Sequence[OutboxEvent], answers: Sequence[Any]) -> dict[int, str]:
    """Tell an entry that is bad from a Redis that takes none: where all fail, none is to blame."""
    faults = {
        event.pk: repr(answer)
        for event, answer in zip(events, answers, strict=True)
        if isinstance(answer, Exception)
    }
    away = [answer for answer in answers if isinstance(answer, TAKES_NOTHING)]
    if away or len(faults) == len(events):
        raise ChannelAwayError(repr(away[0] if away else faults))
    return faults

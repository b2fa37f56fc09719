"""What the outside must hear: written where it happens, delivered afterwards, at least once."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import structlog
from django.db import connection, transaction

from executions import rollups, stream
from executions.models import OutboxEvent
from executions.stream import ChannelAwayError
from jobs.models import Prepared

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

    from executions.models import Execution

log = structlog.get_logger(__name__)

FORGET = "DELETE FROM executions_outboxevent WHERE id = ANY(%s)"
COUNTED = 10_000  # events that wait; beyond that nobody needs the number


class Channel(Protocol):
    """A way outside. It must bear to be given an event twice, which then has the same id."""

    def send(self, events: Sequence[OutboxEvent]) -> dict[int, str]:
        """Deliver ``events``; return the ids of those that it will never take, and why.

        Raises ``ChannelAwayError`` when it can take none at the moment.
        """


CHANNELS: tuple[Channel, ...] = (stream.RedisStream(),)


class Backlog(NamedTuple):
    """What waits to be delivered, since when, and what no channel takes; counted up to a bound."""

    waiting: int
    oldest_at: datetime | None
    set_aside: int


def tell(
    topic: str, *, team: UUID | None, subject: UUID | None, body: dict[str, Any], now: datetime
) -> None:
    """Write an event in the transaction of what happened, so that both are true or neither is.

    ``topic`` is a noun and a past participle (``redrive.stopped``); ``subject`` is the id of what
    it is about, ``team`` the id of whose that is: everybody's without one.
    """
    OutboxEvent.objects.create(team_id=team, at=now, topic=topic, subject=subject, body=body)


def tell_skipped(executions: Sequence[Execution], *, now: datetime) -> None:
    """Write that ``executions`` were skipped, each for its ``reason``; how others end, the
    statement tells that ends them."""
    OutboxEvent.objects.bulk_create(
        OutboxEvent(
            team_id=execution.team_id,
            at=now,
            topic="execution.skipped",
            subject=execution.pk,
            body={"job": str(execution.job_id), "reason": execution.reason},
        )
        for execution in executions
    )


def deliver(now: datetime, limit: int = 500, *, channels: Sequence[Channel] = CHANNELS) -> int:
    """Hand the oldest events to all ``channels`` and forget them; return how many were handled.

    Any number of processes may call this at once: SKIP LOCKED deals the events out. A crash
    between the delivery and the deletion delivers the batch once more; statistics count it once,
    with the deletion. While a channel is away everything stays, and the call ends within its
    time-outs.
    """
    with transaction.atomic():
        events = _next(limit).models(now)
        if not events:
            return 0
        try:
            refused = _send(events, channels)
        except ChannelAwayError as exc:
            log.warning("outbox.channel_away", error=str(exc))
            return 0
        for event in events:
            event.fault = refused.get(event.pk, "")[:300]
        _set_aside([event for event in events if event.fault])
        delivered = [event.pk for event in events if not event.fault]
        rollups.count(delivered)
        with connection.cursor() as cursor:
            cursor.execute(FORGET, [delivered])
    return len(events)


def backlog() -> Backlog:
    """Say how much waits, in three queries that cost the same however much it is."""
    waiting = OutboxEvent.objects.waiting()
    oldest = waiting.values_list("at", flat=True).first()
    aside = OutboxEvent.objects.set_aside()
    return Backlog(waiting[:COUNTED].count(), oldest, aside[:COUNTED].count())


@lru_cache
def _next(limit: int) -> Prepared[OutboxEvent]:
    return Prepared(lambda _now: OutboxEvent.objects.waiting().lock_free(limit))


def _send(events: Sequence[OutboxEvent], channels: Sequence[Channel]) -> dict[int, str]:
    refused: dict[int, str] = {}
    for channel in channels:
        refused |= channel.send(events)
    return refused


def _set_aside(events: Sequence[OutboxEvent]) -> None:
    for event in events:
        log.error("outbox.set_aside", event_id=event.pk, topic=event.topic, why=event.fault)
    OutboxEvent.objects.bulk_update(events, ["fault"])

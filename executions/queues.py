"""Make, change, pause and resume queues: what waits in a paused one stays, and nothing starts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import structlog
from django.db import IntegrityError, transaction

from executions import bell, dispatch, outbox
from executions.models import Execution, Queue, Status

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

log = structlog.get_logger(__name__)

MOST_WOKEN = 1_000  # sent again by whoever resumes; the sweep sends what is more
END_OF_PAUSE = "the end of the pause"


class QueueTakenError(Exception):
    """There is a queue of this name."""


def create(
    name: str,
    *,
    now: datetime,
    actor: str,
    description: str = "",
    concurrency: int | None = None,
    window: int | None = None,
) -> Queue:
    """Make a queue; workers that run already consume it within seconds.

    ``None`` means no limit for ``concurrency`` and the default for ``window``. Raises
    ``QueueTakenError``.
    """
    queue = Queue(name=name, description=description, concurrency=concurrency, window=window)
    queue.created_at = now
    try:
        with transaction.atomic():
            queue.save(force_insert=True)
    except IntegrityError as exc:
        raise QueueTakenError(f"There is a queue {name} already.") from exc
    log.info("queue.created", queue=name, actor=actor)
    return queue


def change(queue: Queue, values: Mapping[str, Any], *, actor: str) -> None:
    """Set ``values`` of ``queue``; they hold from the next decision on, what is in flight stays."""
    for name, value in values.items():
        setattr(queue, name, value)
    queue.save(update_fields=list(values))
    log.info("queue.changed", queue=queue.name, actor=actor, values=dict(values))
    transaction.on_commit(bell.ring, robust=True)


@transaction.atomic
def pause(
    queue: Queue, *, now: datetime, actor: str, reason: str = "", until: datetime | None = None
) -> None:
    """Start nothing more from ``queue``; what runs already goes on.

    What is queued stays so, and no worker may claim it. With ``until`` it is resumed by itself.
    Repeating changes when it ends and why, not since when.
    """
    locked = Queue.objects.select_for_update(no_key=True).get(pk=queue.pk)
    said = (locked.paused_reason, locked.paused_until)
    if locked.paused_at and said == (reason, until):
        return
    locked.paused_at = locked.paused_at or now
    locked.paused_reason, locked.paused_by, locked.paused_until = reason, actor[:254], until
    locked.save(update_fields=["paused_at", "paused_reason", "paused_by", "paused_until"])
    log.info("queue.paused", queue=queue.name, actor=actor, reason=reason, until=str(until))
    body = {"queue": queue.name, "actor": actor, "reason": reason}
    outbox.tell("queue.paused", team=None, subject=None, body=body, now=now)


@transaction.atomic
def resume(queue: Queue, *, now: datetime, actor: str) -> None:
    """Start what waits in ``queue`` again, and at once. Repeating changes nothing."""
    paused = Queue.objects.paused().filter(pk=queue.pk)
    if not paused.update(paused_at=None, paused_reason="", paused_by="", paused_until=None):
        return
    log.info("queue.resumed", queue=queue.name, actor=actor)
    body = {"queue": queue.name, "actor": actor}
    outbox.tell("queue.resumed", team=None, subject=None, body=body, now=now)

    def wake() -> None:
        queued = Execution.objects.filter(queue=queue.pk, status=Status.QUEUED)
        dispatch.wake(queued.order_by("publish_at"), now=now, limit=MOST_WOKEN)
        bell.ring()

    transaction.on_commit(wake, robust=True)


def resume_due(now: datetime, limit: int = 100) -> int:
    """Resume the queues whose pause is over by ``now``; return how many."""
    over = Queue.objects.paused().filter(paused_until__lte=now).order_by("paused_until")
    with transaction.atomic():
        queues = list(over.lock_free(limit))
        for queue in queues:
            resume(queue, now=now, actor=END_OF_PAUSE)
    return len(queues)

"""From due to a worker: mark executions queued, then wake workers. The only publisher."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import structlog
from celery import current_app
from django import db
from django.db import transaction
from django.db.models import F
from kombu.entity import Queue as CeleryQueue
from kombu.exceptions import BatchPublishError, OperationalError
from redis import RedisError

from executions import admission, alive, bell, broker, limits, packing, transitions
from executions.admission import Admitted
from executions.models import Execution, Queue, Status, lines, task_id

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from executions.models.execution_queries import ExecutionQuerySet

log = structlog.get_logger(__name__)

RUN_TASK = "executions.run"
BROKER_AWAY = (OperationalError, BatchPublishError, RedisError, ConnectionError, TimeoutError)
LATELY = 1.0  # seconds; a broker that answered then is taken to answer
DATABASE_AWAY = (db.OperationalError, db.InterfaceError)


def queue_due(now: datetime, *, limit: int = 500) -> int:
    """Move due executions to ``queued`` and, once that is committed, wake workers for them.

    Returns how many executions were handled, those included that were skipped, cancelled or set
    aside on a limit. If the broker is away the rows stay queued, and ``redispatch`` wakes a worker
    later. Any number of processes may call this at once.
    """
    unhindered, is_rest = transitions.queue_unhindered(now, window=admission.SMALLEST_WINDOW)
    publish(unhindered)
    return len(unhindered) + (_queue_others(now, limit) if is_rest else 0)


def _queue_others(now: datetime, limit: int) -> int:
    """Weigh up what is due and may be held back by something; return how many were handled."""
    limits.unblock(now, limit)
    names = lines.due_queues(now)
    Queue.objects.adopt(names)
    if not names:
        return 0
    ready: list[Execution] = []
    slots = slots_of_fleets(now)
    try:
        return _admit_in_shares(names, ready, now=now, limit=limit, slots=slots)
    finally:
        publish(ready, slots=slots)  # what was committed, also if the database went away then


def start(execution: Execution, *, now: datetime) -> None:
    """Send the message of a new execution that was queued at once; see to it that others are.

    Where a crowd waits that is the work of the beats, who take many at once.
    """
    if execution.status == Status.QUEUED:
        publish([execution])
    elif execution.seen and execution.seen.crowded:
        bell.ring_soon()
    else:
        queue_one(execution, now=now)


def queue_one(execution: Execution, *, now: datetime) -> None:
    """Queue ``execution`` at once if it is due, instead of leaving it to the next beat.

    Where others wait for their turn, or a beat decides at this moment, it is left to the beats,
    and the bell tells them.
    """
    if execution.due_at > now:
        return
    Queue.objects.adopt([execution.queue])
    admitted = admission.admit_one(execution, now=now, slots=slots_of_fleets(now))
    publish(admitted.ready)
    if not admitted.handled:
        bell.ring()


def wake(queued: ExecutionQuerySet, *, now: datetime, limit: int) -> int:
    """Send messages for up to ``limit`` of ``queued`` once more; return how many.

    Doubles of messages that were only late die at the claim.
    """
    with transaction.atomic():
        silent = list(queued.select_related("version").lock_free(limit))  # which packing reads
        for execution in silent:
            execution.publishes += 1
            execution.publish_at = now + transitions.PUBLISH_AGAIN
            execution.lane = execution.lane_at(now)
        Execution.objects.bulk_update(silent, ["publishes", "publish_at", "lane"])
    publish(silent, slots=slots_of_fleets(now))
    return len(silent)


def slots_of_fleets(now: datetime) -> dict[str, int]:
    """Return how many executions each living fleet can run at once."""
    return {fleet.name: fleet.slots for fleet in alive.fleets_in_numbers(now)}


def publish(executions: Sequence[Execution], *, slots: Mapping[str, int] | None = None) -> None:
    """Send messages for queued executions, in one pipeline; never raises for the broker.

    One for each, or for several where they are more than the ``slots`` of their fleet can begin
    with: see ``batches``. While the broker is away each call costs at most what the time-outs of
    its connection allow, and nothing for some seconds after one has failed. What was not sent is
    due for ``redispatch``.
    """
    if not executions:
        return
    try:
        broker.check(lately=LATELY)  # fails sooner than a producer would
        with (
            current_app.producer_pool.acquire(block=True, timeout=2) as producer,
            producer.batch(max_size=500),
        ):
            for together in packing.pack(executions, slots or {}):
                _send(together, producer)
    except BROKER_AWAY as exc:
        broker.rest()
        log.warning("dispatch.broker_away", executions=len(executions), error=repr(exc))
        unsent = Execution.objects.filter(pk__in=[execution.pk for execution in executions])
        unsent.filter(status=Status.QUEUED).update(publish_at=F("queued_at"))


def _admit_in_shares(
    names: Sequence[str],
    ready: list[Execution],
    *,
    now: datetime,
    limit: int,
    slots: Mapping[str, int],
) -> int:
    """Admit from each queue its share of ``limit``, then more where the others left some.

    So the backlog of one does not keep the others waiting. What is queued is added to ``ready``.
    """
    handled = 0
    while names and handled < limit:
        share = max(1, (limit - handled) // len(names))
        eager = []
        for name in names:
            admitted = _admit(name, now=now, limit=share, slots=slots)
            ready += admitted.ready
            handled += admitted.handled
            if admitted.handled >= share:
                eager.append(name)
        names = eager
    return min(handled, limit)


def _admit(name: str, *, now: datetime, limit: int, slots: Mapping[str, int]) -> Admitted:
    """Admit from one queue; one that cannot be decided about must not stop the others."""
    try:
        return admission.admit(name, now=now, limit=limit, slots=slots)
    except DATABASE_AWAY:
        raise
    except Exception:
        log.exception("queue.not_admitted", queue=name)
        return Admitted()


def celery_queue(queue: str, fleet: str) -> CeleryQueue:
    """The Celery queue of ``queue`` that ``fleet`` consumes."""
    name = f"{queue}.{fleet}"
    return CeleryQueue(name, routing_key=name)


@cache
def _address(queue: str, fleet: str) -> CeleryQueue:
    """The same, for messages only: whoever consumes a queue also changes the object."""
    return celery_queue(queue, fleet)


def _send(executions: Sequence[Execution], producer: object) -> None:
    first = executions[0]
    ids = [str(execution.pk) for execution in executions]
    # What ``send_task`` does for anybody's tasks takes longer than these two.
    message = current_app.amqp.create_task_message(
        task_id(first.pk, first.attempt + 1),
        RUN_TASK,
        ids,
        argsrepr=f"({', '.join(map(repr, ids))},)",
        kwargsrepr="{}",
        ignore_result=True,
    )
    current_app.amqp.send_task_message(
        producer,
        RUN_TASK,
        message,
        queue=_address(first.queue, first.fleet),
        declare=[],  # a list is there as soon as something is in it
        priority=first.lane,
        headers=broker.stamp(first.publish_at),
        retry=False,
    )

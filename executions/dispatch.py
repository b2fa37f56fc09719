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

from executions import admission, alive, bell, broker, limits, transitions
from executions.admission import Admitted
from executions.models import Execution, Queue, Status, lines, task_id

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from executions.models.execution_queries import ExecutionQuerySet

log = structlog.get_logger(__name__)

RUN_TASK = "executions.run"
BROKER_AWAY = (OperationalError, BatchPublishError, RedisError, ConnectionError, TimeoutError)
DATABASE_AWAY = (db.OperationalError, db.InterfaceError)


def queue_due(now: datetime, *, limit: int = 500) -> int:
    """Move due executions to ``queued`` and, once that is committed, wake workers for them.

    Returns how many executions were handled, those included that were skipped, cancelled or set
    aside on a limit. If the broker is away the rows stay queued, and ``redispatch`` wakes a worker
    later. Any number of processes may call this at once.
    """
    limits.unblock(now, limit)
    names = lines.due_queues(now)
    Queue.objects.adopt(names)
    ready: list[Execution] = []
    try:
        return _admit_in_shares(names, ready, now=now, limit=limit) if names else 0
    finally:
        publish(ready)  # what was committed, also when the database went away after it


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
        silent = list(queued.lock_free(limit))
        for execution in silent:
            execution.publishes += 1
            execution.publish_at = now + transitions.PUBLISH_AGAIN
            execution.lane = execution.lane_at(now)
        Execution.objects.bulk_update(silent, ["publishes", "publish_at", "lane"])
    publish(silent)
    return len(silent)


def slots_of_fleets(now: datetime) -> dict[str, int]:
    """Return how many executions each living fleet can run at once."""
    return {fleet.name: fleet.slots for fleet in alive.fleets_in_numbers(now)}


def publish(executions: Sequence[Execution]) -> None:
    """Send one message per queued execution, in one pipeline; never raises for the broker.

    While it is away each call costs at most what the time-outs of its connection allow, and
    nothing for some seconds after one has failed. What was not sent is due for ``redispatch``.
    """
    if not executions:
        return
    try:
        broker.check()  # fails sooner than a producer would
        with (
            current_app.producer_pool.acquire(block=True, timeout=2) as producer,
            producer.batch(max_size=500),
        ):
            for execution in executions:
                _send(execution, producer)
    except BROKER_AWAY as exc:
        broker.rest()
        log.warning("dispatch.broker_away", executions=len(executions), error=repr(exc))
        unsent = Execution.objects.filter(pk__in=[execution.pk for execution in executions])
        unsent.filter(status=Status.QUEUED).update(publish_at=F("queued_at"))


def _admit_in_shares(
    names: Sequence[str], ready: list[Execution], *, now: datetime, limit: int
) -> int:
    """Admit from each queue its share of ``limit``, then more where the others left some.

    So the backlog of one does not keep the others waiting. What is queued is added to ``ready``.
    """
    slots = slots_of_fleets(now)
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


def _send(execution: Execution, producer: object) -> None:
    current_app.send_task(
        RUN_TASK,
        args=[str(execution.pk)],
        argsrepr=f"('{execution.pk}',)",
        task_id=task_id(execution.pk, execution.attempt + 1),
        queue=_address(execution.queue, execution.fleet),
        priority=execution.lane,
        headers=broker.stamp(execution.publish_at),
        ignore_result=True,
        retry=False,
        producer=producer,
    )

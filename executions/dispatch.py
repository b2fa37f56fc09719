"""From due to a worker: mark executions queued, then wake workers. The only publisher."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog
from celery import current_app
from django.db import transaction
from django.db.models import Exists, OuterRef
from kombu.entity import Queue
from kombu.exceptions import BatchPublishError, OperationalError

from executions import transitions
from executions.models import UNFINISHED, Execution, task_id
from jobs import kinds
from jobs.kinds.base import Fleet
from jobs.policies import Overlap

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from executions.models.execution import ExecutionQuerySet

log = structlog.get_logger(__name__)

RUN_TASK = "executions.run"
BROKER_AWAY = (OperationalError, BatchPublishError, ConnectionError, TimeoutError)


def queue_due(now: datetime, *, limit: int = 500) -> int:
    """Move due executions to ``queued`` and, once that is committed, wake workers for them.

    A slot whose predecessor is unfinished is skipped instead if its schedule says so. Returns how
    many executions were handled. If the broker is away the rows stay queued and ``redispatch``
    wakes a worker later.
    """
    with transaction.atomic():
        due = list(_with_predecessors(Execution.objects.due(now)).lock_free(limit))
        ready = [execution for execution in due if not _must_skip(execution)]
        for execution in filter(_must_skip, due):
            transitions.skip(execution, now=now, reason="overlap", detail={})
        transitions.queue_all(ready, now=now)
    publish(ready)
    return len(due)


def queue_one(execution: Execution, *, now: datetime) -> None:
    """Queue ``execution`` at once if it is due, instead of leaving it to the next beat.

    Does nothing when a beat was faster or its queue is paused.
    """
    with transaction.atomic():
        ready = list(Execution.objects.due(now).filter(pk=execution.pk).lock_free(1))
        transitions.queue_all(ready, now=now)
    publish(ready)


def publish(executions: Sequence[Execution]) -> None:
    """Send one message per execution, in one pipeline; never raises when the broker is away."""
    if not executions:
        return
    try:
        with (
            current_app.producer_pool.acquire(block=True, timeout=2) as producer,
            producer.batch(max_size=500),
        ):
            for execution in executions:
                _send(execution, producer)
    except BROKER_AWAY as exc:
        log.warning("dispatch.broker_away", executions=len(executions), error=repr(exc))


def celery_queue(queue: str, fleet: str) -> Queue:
    """The Celery queue of ``queue`` that ``fleet`` consumes."""
    name = f"{queue}.{fleet}"
    return Queue(name, routing_key=name)


def _send(execution: Execution, producer: object) -> None:
    # A kind that this process does not know may be newer than it, or gone: a worker finds out.
    known = kinds.all_kinds().get(execution.kind)
    fleet = known.fleet if known else Fleet.COMPUTE
    current_app.send_task(
        RUN_TASK,
        args=[str(execution.pk)],
        task_id=task_id(execution.pk, execution.attempt + 1),
        queue=celery_queue(execution.queue, fleet),
        priority=execution.priority,
        ignore_result=True,
        retry=False,
        producer=producer,
    )


def _with_predecessors(due: ExecutionQuerySet) -> ExecutionQuerySet:
    """Mark executions whose schedule's earlier slot is still unfinished.

    That slot's row was committed with or before this one, so any two beats see the same.
    """
    earlier = Execution.objects.filter(
        schedule=OuterRef("schedule"),
        status__in=UNFINISHED,
        scheduled_for__lt=OuterRef("scheduled_for"),
    )
    marked = {"predecessor_unfinished": Exists(earlier)}  # a dict: the model declares the name
    return due.select_related("schedule").annotate(**marked)


def _must_skip(execution: Execution) -> bool:
    overlap = execution.schedule and execution.schedule.overlap
    return overlap == Overlap.SKIP and execution.attempt == 0 and execution.predecessor_unfinished

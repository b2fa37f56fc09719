"""Where an execution is at this moment: what it waits for, how late it is, what may be done."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from executions import alive
from executions.explain.words import because, clock
from executions.models import Queue, Status
from executions.reasons import Said, say
from executions.transitions import allowed
from jobs import kinds
from jobs.kinds.base import Fleet

if TYPE_CHECKING:
    from datetime import datetime

    from executions.models import Execution


def allowed_actions(execution: Execution) -> list[str]:
    """Return what the state of ``execution`` allows; who may do it is another question."""
    if allowed(execution, Status.CANCELLED):
        return ["cancel"]
    return ["retry"] if may_run_again(execution) else []


def may_run_again(execution: Execution) -> bool:
    """Say whether the work was given up: cancelled, or failed for good and not resolved."""
    match execution.status:
        case Status.FAILED:
            return execution.resolved_at is None
        case Status.CANCELLED:
            return True
    return False


def lateness(execution: Execution, *, now: datetime) -> timedelta | None:
    """Return how late the newest attempt started; of one that waits, how late it is by now.

    ``None`` when it is not due yet, or ended without a start.
    """
    match execution.status:
        case Status.SCHEDULED | Status.QUEUED if execution.due_at <= now:
            return now - execution.due_at
        case Status.RUNNING | Status.SUCCEEDED | Status.FAILED if execution.started_at:
            return max(execution.started_at - execution.due_at, timedelta(0))
    return None


def duration(execution: Execution, *, now: datetime) -> timedelta | None:
    """Return how long the newest attempt took, or takes by now; ``None`` when it did not end."""
    match execution.status:
        case Status.RUNNING if execution.started_at:
            return now - execution.started_at
        case Status.SUCCEEDED | Status.FAILED if execution.started_at and execution.finished_at:
            return execution.finished_at - execution.started_at
    return None


def waiting_on(execution: Execution, *, now: datetime) -> Said | None:
    """Say what ``execution`` waits for; ``None`` when it runs or has ended.

    Costs at most two queries.
    """
    match execution.status:
        case Status.SCHEDULED if execution.due_at > now:
            return _not_due(execution)
        case Status.SCHEDULED:
            return _not_queued(execution, now)
        case Status.QUEUED:
            return _not_claimed(execution, now)
        case Status.WAITING:
            return say("outside", due=clock(execution.due_at))
    return None


def _not_due(execution: Execution) -> Said:
    due = clock(execution.due_at)
    if not execution.attempt:
        return say("not_due", due=due)
    return say(
        "retry_delay",
        due=due,
        next=execution.attempt + 1,
        attempt=execution.attempt,
        reason=execution.reason or "a failure",
    )


def _not_queued(execution: Execution, now: datetime) -> Said:
    queue = execution.queue
    paused = Queue.objects.filter(name=queue, paused_at__isnull=False).first()
    if paused:
        return say("queue_paused", queue=queue, why=because(paused.paused_reason))
    if not alive.beat(now):
        return say("no_scheduler", silence=alive.SILENCE)
    if execution.blocked_on:
        code, _, name = execution.blocked_on.partition(":")
        return say(code, queue=queue, limit=name.strip())
    return say("scheduler", due=clock(execution.due_at))


def _not_claimed(execution: Execution, now: datetime) -> Said:
    known = kinds.all_kinds().get(execution.kind)
    fleet = known.fleet if known else Fleet.COMPUTE
    if fleet not in alive.fleets(now):
        return say("no_worker", fleet=fleet, silence=alive.SILENCE)
    return say("worker", fleet=fleet)

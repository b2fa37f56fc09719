"""Where an execution is at this moment: what it waits for, how late it is, what may be done."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from executions import admission, alive, limits
from executions.explain.words import because, clock
from executions.models import Queue, Status
from executions.models.fleet import fleet_of
from executions.reasons import Said, reason, say
from executions.transitions import allowed

if TYPE_CHECKING:
    from datetime import datetime

    from executions.models import Execution
    from executions.models.execution import Seen


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
            return max(now - execution.started_at, timedelta(0))
        case Status.SUCCEEDED | Status.FAILED if execution.started_at and execution.finished_at:
            return execution.finished_at - execution.started_at
    return None


def waiting_on(execution: Execution, *, now: datetime) -> Said | None:
    """Say what ``execution`` waits for; ``None`` when it runs or has ended.

    Costs at most four queries, none of a new one about which enough was ``seen``.
    """
    if execution.seen and (execution.status == Status.QUEUED or execution.seen.crowded):
        return _new(execution, execution.seen)
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


def _new(execution: Execution, seen: Seen) -> Said:
    """Say it of one whose queue was open a moment ago."""
    fleet = execution.fleet
    if execution.status == Status.QUEUED and seen.worker:
        return say("worker", fleet=fleet)
    if execution.status == Status.QUEUED:
        return say("no_worker", fleet=fleet, silence=alive.SILENCE)
    if seen.beat:
        return say("scheduler", due=clock(execution.due_at))
    return say("no_scheduler", silence=alive.SILENCE)


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
    queue = Queue.objects.filter(name=execution.queue).first()
    if queue and queue.paused_at:
        return _paused(queue)
    if not alive.beat(now):
        return say("no_scheduler", silence=alive.SILENCE)
    if execution.blocked_on:
        return _blocked(execution.blocked_on)
    return _without_room(execution, queue, now) or say("scheduler", due=clock(execution.due_at))


def _paused(queue: Queue) -> Said:
    return say("queue_paused", queue=queue, why=because(queue.paused_reason))


def _blocked(on: str) -> Said:
    code, sentence = limits.describe(on)
    row = reason(code or on.partition(":")[0])
    return Said(row.code, sentence or say(row.code).sentence, row.do, row.link)


def _without_room(execution: Execution, queue: Queue | None, now: datetime) -> Said | None:
    """Say so if as many as may are on their way to workers already."""
    if queue is None:
        return None
    slots = {fleet.name: fleet.slots for fleet in alive.fleets_in_numbers(now)}
    room = admission.room_in(queue, slots)
    if room.of(fleet_of(execution.kind)):
        return None
    return say("window" if room.total > 0 else "queue_limit", queue=queue)


def _not_claimed(execution: Execution, now: datetime) -> Said:
    queue = Queue.objects.paused().filter(name=execution.queue).first()
    if queue:
        return _paused(queue)
    fleet = fleet_of(execution.kind)
    if fleet not in alive.fleets(now):
        return say("no_worker", fleet=fleet, silence=alive.SILENCE)
    return say("worker", fleet=fleet)

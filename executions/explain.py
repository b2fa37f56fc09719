"""Why an execution is where it is, and what may be done about it: words for programs and people."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from executions import alive
from executions.models import Queue, Status
from executions.transitions import allowed
from jobs import kinds

if TYPE_CHECKING:
    from datetime import datetime

    from executions.models import Execution


@dataclass(frozen=True, slots=True)
class Blocker:
    """What keeps an execution from going on: a stable word, and a sentence that says it."""

    code: str
    sentence: str


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


def waiting_on(execution: Execution, *, now: datetime) -> Blocker | None:
    """Return what ``execution`` waits for; ``None`` when it runs or has ended.

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
            return Blocker(
                "outside",
                f"Somebody else finishes this by {_clock(execution.due_at)}, or it fails.",
            )
    return None


def _not_due(execution: Execution) -> Blocker:
    due = _clock(execution.due_at)
    if not execution.attempt:
        return Blocker("not_due", f"It is due at {due}.")
    ended = f"attempt {execution.attempt} ended with {execution.reason or 'a failure'}"
    return Blocker("retry_delay", f"Attempt {execution.attempt + 1} is due at {due}; {ended}.")


def _not_queued(execution: Execution, now: datetime) -> Blocker:
    paused = Queue.objects.filter(name=execution.queue, paused_at__isnull=False).first()
    if paused:
        why = f": {paused.paused_reason}" if paused.paused_reason else "."
        return Blocker("queue_paused", f"The queue {execution.queue} is paused{why}")
    if not alive.beat(now):
        sentence = f"No scheduler has been heard of for {alive.SILENCE}."
        return Blocker("no_scheduler", sentence)
    return Blocker("scheduler", f"It is due since {_clock(execution.due_at)} and next in line.")


def _not_claimed(execution: Execution, now: datetime) -> Blocker:
    fleet = kinds.get(execution.kind).fleet
    if fleet not in alive.fleets(now):
        sentence = f"No worker of the fleet {fleet} has been heard of for {alive.SILENCE}."
        return Blocker("no_worker", sentence)
    return Blocker("worker", f"It waits for a free worker of the fleet {fleet}.")


def _clock(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M:%S} UTC"

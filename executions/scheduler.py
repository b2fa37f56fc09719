"""From schedules to executions: fire what is due, or run a job now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import structlog
from django.db import transaction

from executions import dispatch, transitions
from executions.models import Execution, ExecutionEvent, Origin
from jobs import definitions
from jobs.models import Schedule

if TYPE_CHECKING:
    from datetime import datetime

    from jobs.models import Job
    from jobs.policies import Priority, Stretch

log = structlog.get_logger(__name__)


@transaction.atomic
def fire_due(now: datetime, *, limit: int = 500) -> int:
    """Create an execution for every slot due by ``now``; return how many schedules fired.

    Any number of processes may call this at once: SKIP LOCKED deals the schedules out, and
    ``one_execution_per_slot`` swallows a slot that was fired before a crash.
    """
    due = Schedule.objects.due(now).select_related("job__current__limit").lock_free(limit)
    schedules = list(due)
    if not schedules:
        return 0
    executions = [row for schedule in schedules for row in _fire(schedule, now)]
    Execution.objects.bulk_create(executions, ignore_conflicts=True, batch_size=1000)
    Schedule.objects.bulk_update(
        schedules, ["next_fire_at", "last_fired_at", "enabled", "disabled_reason"]
    )
    return len(schedules)


def run_now(  # noqa: PLR0913  each is a choice of the caller's
    job: Job,
    *,
    now: datetime,
    actor: str,
    payload: dict[str, Any] | None = None,
    run_at: datetime | None = None,
    priority: Priority | None = None,
    reason: str = "",
    origin: Origin = Origin.MANUAL,
) -> Execution:
    """Start ``job`` at once, or at ``run_at``, apart from its schedule.

    ``payload`` replaces the job's for this execution and must be valid for its kind. Raises
    ``JobPausedError`` or ``JobArchivedError``.
    """
    definitions.check_startable(job)
    execution = Execution.of(job, now=now, due_at=run_at or now, origin=origin, payload=payload)
    if priority is not None:
        execution.priority = priority
    with transaction.atomic():
        execution.save(force_insert=True)
        ExecutionEvent.objects.create(
            execution=execution, at=now, what="requested", actor=actor, detail={"reason": reason}
        )

        def start() -> None:
            dispatch.queue_one(execution, now=now)

        transaction.on_commit(start, robust=True)
    return execution


def _fire(schedule: Schedule, now: datetime) -> list[Execution]:
    try:
        taken = schedule.take_slots(now)
    except Exception as exc:  # noqa: BLE001  one broken row must not stop the others
        schedule.enabled = False
        schedule.disabled_reason = str(exc)[:300]
        log.warning("schedule.disabled", schedule_id=str(schedule.pk), why=str(exc))
        return []
    run = [
        Execution.of(schedule.job, now=now, due_at=slot, schedule=schedule, scheduled_for=slot)
        for slot in taken.run
    ]
    if taken.skipped is None:
        return run
    return [_skipped(schedule, taken.skipped, now), *run]


def _skipped(schedule: Schedule, stretch: Stretch, now: datetime) -> Execution:
    """One row stands for a whole stretch of missed slots: its first, its last, their number."""
    detail = {
        "first": stretch.first.isoformat(),
        "last": stretch.last.isoformat(),
        "count": stretch.count,
    }
    return Execution.of(
        schedule.job,
        now=now,
        due_at=stretch.first,
        schedule=schedule,
        scheduled_for=stretch.first,
        **transitions.born_skipped(now=now, reason="misfire", detail=detail),
    )

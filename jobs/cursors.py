"""Schedules stop and go on with their jobs, and what they pass over is recorded.

Each function takes a job that ``definitions.lock`` has locked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import transaction

from jobs import host
from jobs.models import Schedule
from jobs.slots import Why

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from jobs.models import Job


def stop(job: Job, why: Why) -> None:
    """Let the schedule fire no more; its cursor stays where it is."""
    job.schedule.enabled, job.schedule.disabled_reason = False, why.value
    Schedule.objects.save_progress([job.schedule])


def go_on(job: Job) -> None:
    """Let the schedule fire again, from its cursor on."""
    job.schedule.enabled, job.schedule.disabled_reason = True, ""
    Schedule.objects.save_progress([job.schedule])
    wake_after_commit()


def pass_over(job: Job, why: Why, *, now: datetime, detail: Mapping[str, Any]) -> None:
    """Move the cursor past ``now``; the slots on the way become one skipped execution.

    ``detail`` is stored with it, as JSON. The schedule itself is stored by the caller.
    """
    for stretch in job.schedule.pass_over(now, why):
        host.record_skipped(job.schedule, stretch, now=now, detail=detail)


def close(job: Job, *, now: datetime, detail: Mapping[str, Any]) -> None:
    """End the schedule as it was before an edit: what was due by ``now`` is over and audited."""
    pass_over(job, Why.EDITED, now=now, detail=detail)
    host.close_books(job.schedule, now=now)


def begin(job: Job, first: datetime | None) -> None:
    """Let a changed schedule begin anew with the slot ``first``, unless its job is paused."""
    schedule = job.schedule
    schedule.next_fire_at = None if schedule.left == 0 else first
    schedule.audited_until = None
    schedule.missed, schedule.missed_until = "", None
    if not job.paused_at:
        schedule.enabled, schedule.disabled_reason = True, ""


def wake_after_commit() -> None:
    """Tell whoever fires schedules to look, once this transaction is done."""
    transaction.on_commit(host.wake, robust=True)

"""Intervals that count from the end of an execution: when it has ended, the next slot is known."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Exists, OuterRef, Subquery

from executions import scheduler
from executions.models import UNFINISHED, Execution
from jobs.models import Schedule
from jobs.triggers import TriggerError

if TYPE_CHECKING:
    from datetime import datetime

    from jobs.models import ScheduleQuerySet


@transaction.atomic
def rearm(now: datetime, limit: int = 500) -> int:
    """Name the next slot of schedules whose last execution has ended; return how many.

    It does not matter how it ended: succeeded, failed, cancelled or skipped. Nothing is
    remembered but the rows themselves, so a crash between two steps changes nothing.
    """
    ended = list(_ended(Schedule.objects.unarmed()).lock_free(limit))
    for schedule in ended:
        since = getattr(schedule, "last_ended_at", None) or now
        try:
            schedule.arm(since)
        except TriggerError as exc:
            scheduler.set_aside(schedule, str(exc), now=now)
    if ended:
        Schedule.objects.save_progress(ended)
    return len(ended)


def _ended(schedules: ScheduleQuerySet) -> ScheduleQuerySet:
    """Those none of whose executions goes on, with ``last_ended_at`` of the last one."""
    own = Execution.objects.filter(schedule=OuterRef("pk"))
    last = own.order_by("-scheduled_for").values("finished_at")[:1]
    idle = schedules.exclude(Exists(own.filter(status__in=UNFINISHED)))
    return idle.annotate(last_ended_at=Subquery(last))

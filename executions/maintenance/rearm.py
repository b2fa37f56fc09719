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
    from uuid import UUID

    from jobs.models import ScheduleQuerySet

WINDOW = 2_000  # schedules that a call looks at; most of them only wait

_walked: UUID | None = None  # the last one that this process looked at: the next call goes on


@transaction.atomic
def rearm(now: datetime, limit: int = 500) -> int:
    """Name the next slot of schedules whose last execution has ended; return how many.

    It does not matter how it ended: succeeded, failed, cancelled or skipped. Nothing is
    remembered but the rows themselves, so a crash between two steps changes nothing. A call looks
    at ``WINDOW`` of those that wait, and the next one at those behind them.
    """
    window, last = _window()
    ended = list(_ended(window).lock_free(limit))
    if len(ended) < limit:
        _go_on_behind(last)
    for schedule in ended:
        since = getattr(schedule, "last_ended_at", None) or now
        try:
            schedule.arm(since)
        except TriggerError as exc:
            scheduler.set_aside(schedule, str(exc), now=now)
    if ended:
        Schedule.objects.save_progress(ended)
    return len(ended)


def is_on_its_way() -> bool:
    """Whether there are more to look at than the last call of ``rearm`` did."""
    return _walked is not None


def _window() -> tuple[ScheduleQuerySet, UUID | None]:
    """Return the next schedules to look at, and the last of them if there are any behind it."""
    waiting = Schedule.objects.unarmed()
    if _walked is not None:
        waiting = waiting.filter(pk__gt=_walked)
    last = waiting.values_list("pk", flat=True)[WINDOW - 1 : WINDOW].first()
    return (waiting.filter(pk__lte=last) if last else waiting), last


def _go_on_behind(last: UUID | None) -> None:
    global _walked  # noqa: PLW0603  where the walk of this process is; it may start anywhere
    _walked = last


def _ended(schedules: ScheduleQuerySet) -> ScheduleQuerySet:
    """Those none of whose executions goes on, with ``last_ended_at`` of the last one."""
    own = Execution.objects.filter(schedule=OuterRef("pk"))
    last = own.order_by("-scheduled_for").values("finished_at")[:1]
    idle = schedules.exclude(Exists(own.filter(status__in=UNFINISHED)))
    return idle.annotate(last_ended_at=Subquery(last))

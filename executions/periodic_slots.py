"""When a row of django-celery-beat is due: Celery's rules for crontabs, intervals in phase."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from django_celery_beat.models import PeriodicTask

LATE = timedelta(seconds=60)
"""What is noticed later than this was missed; of all that was missed one slot is sent."""
_INSTANT = timedelta(microseconds=1)


class SlotError(ValueError):
    """The row names no slot, and says so in no other way."""


def first_slot(row: PeriodicTask, after: datetime) -> datetime | None:
    """Return the first slot after ``after`` and not before the row's start.

    A clocked row has one slot, whenever that was. Raises whatever the row makes the library raise.
    """
    if row.clocked:
        instant: datetime = row.clocked.clocked_time
        return instant
    start = row.start_time
    if start is not None:
        after = max(after, start - _INSTANT)
    return _next(row, after, anchor=start or after)


def following_slot(row: PeriodicTask, slot: datetime, now: datetime) -> datetime | None:
    """Return the slot after ``slot``; the first one after ``now`` if ``slot`` was missed.

    Raises as ``first_slot`` does.
    """
    if row.clocked:
        return None
    return _next(row, now if slot < now - LATE else slot, anchor=slot)


def _next(row: PeriodicTask, after: datetime, *, anchor: datetime) -> datetime:
    if row.interval:
        every = timedelta(**{row.interval.period: row.interval.every})
        if every <= timedelta():
            raise SlotError("The interval must be longer than nothing.")
        return anchor + every * ((after - anchor) // every + 1)
    if row.crontab:
        return _next_of_crontab(row, after)
    if row.solar:
        schedule = row.schedule
        schedule.nowfun = lambda: after  # counts from there
        slot: datetime = after + schedule.remaining_estimate(after)
        return slot
    raise SlotError("The row has no schedule.")


def _next_of_crontab(row: PeriodicTask, after: datetime) -> datetime:
    since, ahead, _ = row.schedule.remaining_delta(after)
    local: datetime = since + ahead
    for fold in (0, 1):  # of an hour that comes twice the first, unless that is over
        slot = local.replace(fold=fold).astimezone(UTC)
        if slot > after:
            return slot
    raise SlotError("The crontab names no later instant.")

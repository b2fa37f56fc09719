"""What the coming clock changes do to a cron schedule, in English."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING

from jobs.triggers.base import HORIZON
from jobs.triggers.localtime import changes

if TYPE_CHECKING:
    from jobs.triggers.cron import CronTrigger
    from jobs.triggers.localtime import Change

AHEAD = timedelta(days=366)
_DETAILED = 3  # how many times of one change are told one by one


def notes(trigger: CronTrigger, *, now: datetime) -> list[str]:
    """Say what happens to the times that the clock changes of the next year hit, in order."""
    coming = changes(trigger.zone, now, now + min(AHEAD, HORIZON - now))
    return [note for change in coming for note in _notes_on(trigger, change)]


def _notes_on(trigger: CronTrigger, change: Change) -> list[str]:
    start, end = change.local_times
    hit = trigger.pattern.count(start, end)
    if not hit:
        return []
    if change.removes_dates or trigger.pattern.every_hour:
        return [_on_all(trigger, change)]
    times = islice(trigger.pattern.between(start, end), _DETAILED)
    told = [_on_one(trigger, change, time) for time in times]
    if hit > _DETAILED:
        told.append(f"{start:%Y-%m-%d}: the same for {hit - _DETAILED} more.")
    return told


def _on_one(trigger: CronTrigger, change: Change, time: datetime) -> str:
    said = f"{time:%Y-%m-%d}: {_clock(time)}"
    if change.is_fold:
        return f"{said} happens twice in {trigger.zone.key}, runs once, the first time."
    moved = time + change.shift
    day = "" if moved.date() == time.date() else f" on {moved:%Y-%m-%d}"
    return f"{said} does not exist in {trigger.zone.key}, runs at {_clock(moved)}{day}."


def _on_all(trigger: CronTrigger, change: Change) -> str:
    (start, end), zone = change.local_times, trigger.zone.key
    if change.removes_dates:
        return f"{start:%Y-%m-%d} does not exist in {zone}, does not run on that date."
    said = f"{start:%Y-%m-%d}: {_clock(start)} to {_clock(end)}"
    if change.is_fold:
        return f"{said} happens twice in {zone}, runs both times."
    return f"{said} does not exist in {zone}, goes on from {_clock(end)}."


def _clock(time: datetime) -> str:
    return f"{time:%H:%M:%S}" if time.second else f"{time:%H:%M}"

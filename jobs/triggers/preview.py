"""What a schedule would do, before anybody saves it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from jobs.triggers import build, dst
from jobs.triggers.base import HORIZON, Trigger
from jobs.triggers.bounded import unbounded
from jobs.triggers.cron import CronTrigger
from jobs.triggers.interval import FIXED_DELAY, DelayTrigger
from jobs.triggers.walk import slots_between
from jobs.triggers.words import describe
from jobs.triggers.zones import named

MOST = 100


@dataclass(frozen=True, slots=True)
class Moment:
    """One slot, twice: in UTC, and the same instant in the zone of the schedule."""

    at: datetime
    local: datetime


@dataclass(frozen=True, slots=True)
class Preview:
    """What a schedule means.

    ``dialect`` is ``unix``, ``quartz`` or None where there is no cron expression; ``words`` says
    it in English; ``timezone`` is a name; ``notes`` tell what shifts the starts, and what clock
    changes do to the slots within a year, a sentence each.
    """

    words: str
    dialect: str | None
    timezone: str
    slots: list[Moment]
    notes: list[str]


def preview(
    schedule: Mapping[str, Any],
    *,
    now: datetime,
    count: int = 5,
    fired: int = 0,
    jitter: timedelta | None = None,
) -> Preview:
    """Return the next ``count`` slots of a canonical schedule after ``now``, and what to know.

    ``count`` is 1 to 100. ``fired`` and ``jitter`` are those of the job, if there is one: how
    many slots it had, and how long after each it starts. Raises ``TriggerError`` for a schedule
    that makes no sense and ``ValueError`` for another count.
    """
    if not 1 <= count <= MOST:
        raise ValueError(f"count must lie between 1 and {MOST}")
    trigger = build(schedule)
    rule = unbounded(trigger)
    cron = rule if isinstance(rule, CronTrigger) else None
    zone = cron.zone if cron else named(schedule.get("timezone", "UTC"))
    left = max(0, schedule.get("max_executions", count + fired) - fired)
    slots = foreseen(trigger, now, limit=min(count, left))
    return Preview(
        words=describe(schedule),
        dialect=cron.dialect.value if cron else None,
        timezone=zone.key,
        slots=[Moment(slot, slot.astimezone(zone)) for slot in slots],
        notes=[
            *_notes(schedule, jitter),
            *(dst.notes(cron, now=now.astimezone(UTC)) if cron else []),
        ],
    )


def foreseen(trigger: Trigger, now: datetime, *, limit: int) -> list[datetime]:
    """Return the next ``limit`` slots after ``now``, or the only one that is known."""
    if isinstance(unbounded(trigger), DelayTrigger):
        limit = min(limit, 1)
    return slots_between(trigger, now, HORIZON, limit=limit)


def _notes(schedule: Mapping[str, Any], jitter: timedelta | None) -> Iterator[str]:
    if schedule.get("mode") == FIXED_DELAY:
        yield "Each later slot is known when the execution before it has ended."
    longest = schedule.get("jitter_seconds")
    if longest and jitter is None:
        yield f"A job starts up to {longest:g} s after each slot, always as much."
    elif longest and jitter:
        yield f"This job starts {jitter.total_seconds():.1f} s after each slot."

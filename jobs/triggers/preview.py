"""What a schedule would do, before anybody saves it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any

from jobs.triggers import build, dst
from jobs.triggers.base import HORIZON
from jobs.triggers.cron import CronTrigger
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
    it in English; ``timezone`` is a name; ``notes`` tell what clock changes do to it within a
    year, a sentence each.
    """

    words: str
    dialect: str | None
    timezone: str
    slots: list[Moment]
    notes: list[str]


def preview(schedule: Mapping[str, Any], *, now: datetime, count: int = 5) -> Preview:
    """Return the next ``count`` slots of a canonical schedule after ``now``, and what to know.

    ``count`` is 1 to 100. Raises ``TriggerError`` for a schedule that makes no sense and
    ``ValueError`` for another count.
    """
    if not 1 <= count <= MOST:
        raise ValueError(f"count must lie between 1 and {MOST}")
    trigger = build(schedule)
    slots = slots_between(trigger, now, HORIZON, limit=count)
    if not isinstance(trigger, CronTrigger):
        zone = named(schedule.get("timezone", "UTC"))
        return Preview(describe(trigger), None, zone.key, _moments(slots, zone), [])
    return Preview(
        words=describe(trigger),
        dialect=trigger.dialect.value,
        timezone=trigger.zone.key,
        slots=_moments(slots, trigger.zone),
        notes=dst.notes(trigger, now=now.astimezone(UTC)),
    )


def _moments(slots: list[datetime], zone: tzinfo) -> list[Moment]:
    return [Moment(slot, slot.astimezone(zone)) for slot in slots]

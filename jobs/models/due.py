"""Which schedules are due, or wait for something, and how far their slots are decided."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from django.db import models
from django.db.models import F, Q

from jobs import policies
from jobs.models.prepared import prepared_cursor
from jobs.slots import Why
from lib.text import array

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from jobs.models.schedule import Schedule

RESTING = (Why.PAUSED.value, Why.ARCHIVED.value)
"""Why a schedule is disabled that goes on with its job."""

SAVE_PROGRESS = """
UPDATE jobs_schedule
SET next_fire_at = moved.next_fire_at,
    last_fired_at = moved.last_fired_at,
    audited_until = moved.audited_until,
    fired = moved.fired,
    missed = moved.missed,
    missed_until = moved.missed_until,
    enabled = moved.enabled,
    disabled_reason = moved.disabled_reason
FROM json_to_recordset(%s) AS moved (id uuid, next_fire_at timestamptz, last_fired_at timestamptz,
    audited_until timestamptz, fired int, missed text, missed_until timestamptz, enabled bool,
    disabled_reason text)
WHERE jobs_schedule.id = moved.id
"""
PROGRESS = (
    *("id", "next_fire_at", "last_fired_at", "audited_until", "fired"),
    *("missed", "missed_until", "enabled", "disabled_reason"),
)

# The same for schedules that owe nothing and go on, which are nearly all: less to write and read.
SAVE_PLAIN = """
UPDATE jobs_schedule
SET next_fire_at = moved.next_fire_at,
    last_fired_at = moved.last_fired_at,
    audited_until = moved.audited_until,
    fired = moved.fired,
    missed = '', missed_until = NULL, enabled = true, disabled_reason = ''
FROM unnest(%(id)s::uuid[], %(next_fire_at)s::timestamptz[], %(last_fired_at)s::timestamptz[],
    %(audited_until)s::timestamptz[], %(fired)s::int[])
    AS moved (id, next_fire_at, last_fired_at, audited_until, fired)
WHERE jobs_schedule.id = moved.id
"""
PLAIN = PROGRESS[:5]


UNAUDITED = Q(audited_until__isnull=False) & (
    Q(next_fire_at__isnull=True) | Q(audited_until__lt=F("next_fire_at"))
)


class ScheduleQuerySet(models.QuerySet["Schedule"]):
    def due(self, now: datetime) -> ScheduleQuerySet:
        """Schedules whose next slot has come, the most overdue first."""
        return self.filter(enabled=True, next_fire_at__lte=now).order_by("next_fire_at")

    def newly_due(self, now: datetime) -> ScheduleQuerySet:
        """The same, the least overdue first: a backlog must not hold up what is punctual."""
        return self.due(now).order_by("-next_fire_at")

    def lock_free(self, limit: int) -> ScheduleQuerySet:
        """Lock up to ``limit`` rows that no other process holds. Needs a transaction."""
        return self.select_for_update(skip_locked=True, of=("self",))[:limit]

    def next_instant(self, now: datetime) -> datetime | None:
        """When the next enabled schedule after ``now`` is due; ``None`` when none is."""
        coming = self.filter(enabled=True, next_fire_at__gt=now).order_by("next_fire_at")
        return coming.values_list("next_fire_at", flat=True).first()

    def unarmed(self) -> ScheduleQuerySet:
        """Schedules whose next slot depends on the end of an execution; also while a job rests."""
        delayed = self.filter(mode=policies.IntervalMode.FIXED_DELAY, next_fire_at__isnull=True)
        return delayed.filter(Q(enabled=True) | Q(disabled_reason__in=RESTING)).order_by("pk")

    def unaudited(self, now: datetime) -> ScheduleQuerySet:
        """Schedules whose slots before ``now`` are not all audited, the longest waiting first."""
        return self.filter(UNAUDITED, audited_until__lte=now).order_by("audited_until")

    def save_progress(self, schedules: Iterable[Schedule]) -> None:
        """Store how far the slots of ``schedules`` are decided, in one statement, or in two."""
        plain: list[Schedule] = []
        others: list[Schedule] = []
        for row in schedules:
            (plain if row.goes_on else others).append(row)
        with prepared_cursor() as cursor:
            if plain:
                cursor.execute(SAVE_PLAIN, plain_progress(plain))
            if others:
                rows = [{name: getattr(row, name) for name in PROGRESS} for row in others]
                cursor.execute(SAVE_PROGRESS, [json.dumps(rows, default=str)])


def plain_progress(schedules: Sequence[Schedule]) -> dict[str, str]:
    """Return the values of ``SAVE_PLAIN`` for schedules that go on."""
    return {name: array(getattr(row, name) for row in schedules) for name in PLAIN}

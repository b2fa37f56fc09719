"""Slots by a cron expression in a time zone, in either of two dialects."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from jobs.triggers import quartz, unix, zones
from jobs.triggers.base import FIRST, HORIZON, TriggerError
from jobs.triggers.localtime import Span, by_the_name, by_the_wall, spans

if TYPE_CHECKING:
    from collections.abc import Mapping
    from zoneinfo import ZoneInfo

    from jobs.triggers.pattern import Pattern

LONGEST = 256
PRESETS = {
    "hourly": "0 * * * *",
    "daily": "0 0 * * *",
    "midnight": "0 0 * * *",
    "weekly": "0 0 * * 0",
    "monthly": "0 0 1 * *",
    "yearly": "0 0 1 1 *",
    "annually": "0 0 1 1 *",
}
"""What the words mean, with an @ in an expression and without it as a schedule type."""

_LETTERS = re.compile(r"[0-9A-Za-z@*/,\-#? \t]*")
_SECOND = timedelta(seconds=1)
_DAY = timedelta(days=1)


class Dialect(StrEnum):
    """Five fields are Unix; six or seven, seconds first, are Quartz."""

    UNIX = "unix"
    QUARTZ = "quartz"


@dataclass(frozen=True, slots=True)
class CronTrigger:
    """The moments of a pattern, in the local time of a zone, as instants.

    An expression that singles out hours means local times by their names, and each date has each
    name once (RFC 5545): a time in a gap shifts forward by the gap, a repeated time is its first
    occurrence, and two times that fall on one instant are one slot. An expression for every hour
    (``*/30 * * * *``) singles out none: it runs whenever clocks show one of its minutes, in both
    passes of a fold too, and so keeps its pace in real time.
    """

    expression: str
    dialect: Dialect
    zone: ZoneInfo
    pattern: Pattern

    def __hash__(self) -> int:
        """These two decide about the others, whose hash would be the most of each look-up."""
        return hash((self.expression, self.zone))

    @lru_cache(maxsize=1024)  # noqa: B019  triggers are values: a million schedules share few
    def after(self, instant: datetime) -> datetime | None:
        start = _next_second(instant)
        year = start.year
        while year < HORIZON.year:
            for span in self.spans(year):
                slot = self._first_in(span, start) if start < span.end else None
                if slot:
                    return slot
            # Local time may be a day off UTC; what comes later lies in a later year.
            ahead = self.pattern.first(datetime(year, 12, 31))  # noqa: DTZ001  local time
            year = max(year + 1, (ahead - _DAY).year) if ahead else HORIZON.year
        return None

    @lru_cache(maxsize=1024)  # noqa: B019  as above
    def at_or_before(self, instant: datetime) -> datetime | None:
        end = _next_second(instant)
        year = (end - _SECOND).year
        while year >= FIRST.year:
            for span in reversed(self.spans(year)):
                slot = self._last_in(span, end) if span.start < end else None
                if slot:
                    return slot
            behind = self.pattern.last(datetime(year, 1, 2))  # noqa: DTZ001  local time
            year = min(year - 1, (behind + _DAY).year) if behind else 0
        return None

    def count(self, after: datetime, until: datetime) -> int:
        start, end = _next_second(after), _next_second(until)
        return sum(
            self._count_in(span, start, end)
            for year in range(start.year, (end - _SECOND).year + 1)
            for span in self.spans(year)
        )

    def local_times(self, slot: datetime) -> list[datetime]:
        """Return the local times that name ``slot``: naive, one, or two that a gap merged."""
        span = next(span for span in self.spans(slot.year) if span.start <= slot < span.end)
        times = [_local(slot, offset) for offset in span.offsets]
        return [time for time in times if self.pattern.first(time) == time]

    def spans(self, year: int) -> tuple[Span, ...]:
        """Return how local time is read in a UTC year."""
        reading = by_the_wall if self.pattern.every_hour else by_the_name
        return spans(self.zone, year, reading)

    def _first_in(self, span: Span, start: datetime) -> datetime | None:
        low = max(span.start, start)
        found = (
            _instant(moment, offset)
            for offset in span.offsets
            if (moment := self.pattern.first(_local(low, offset)))
        )
        return min((slot for slot in found if slot < span.end), default=None)

    def _last_in(self, span: Span, end: datetime) -> datetime | None:
        high = min(span.end, end)
        found = (
            _instant(moment, offset)
            for offset in span.offsets
            if (moment := self.pattern.last(_local(high, offset)))
        )
        return max((slot for slot in found if slot >= span.start), default=None)

    def _count_in(self, span: Span, start: datetime, end: datetime) -> int:
        low, high = max(span.start, start), min(span.end, end)
        if low >= high:
            return 0
        if len(span.offsets) == 1:
            (offset,) = span.offsets
            return self.pattern.count(_local(low, offset), _local(high, offset))
        merged = {
            _instant(moment, offset)
            for offset in span.offsets
            for moment in self.pattern.between(_local(low, offset), _local(high, offset))
        }
        return len(merged)


def build(schedule: Mapping[str, Any]) -> CronTrigger:
    """Build from ``cron`` and ``timezone`` (UTC if absent)."""
    zone = zones.named(schedule.get("timezone", "UTC"))
    return _built(_checked_text(schedule.get("cron")), zone)


@lru_cache(maxsize=4096)  # a million schedules share few expressions
def _built(expression: str, zone: ZoneInfo) -> CronTrigger:
    dialect, pattern = _parsed(expression)
    if pattern.days.first(FIRST.date()) is None:
        raise TriggerError(
            "cron",
            "schedule.never_fires",
            f"{expression!r} never fires: there is no such day.",
            hint="Check the day against the months, as in 30 February.",
        )
    return CronTrigger(expression, dialect, zone, pattern)


def _parsed(expression: str) -> tuple[Dialect, Pattern]:
    fields = written_out(expression).split()
    match len(fields):
        case 5:
            return Dialect.UNIX, unix.parse(fields)
        case 6 | 7:
            return Dialect.QUARTZ, quartz.parse(fields)
    raise _invalid(
        f"A cron expression has 5 fields, or 6 or 7 in the Quartz dialect; this has {len(fields)}.",
        hint="minute hour day month weekday, such as 0 12 * * MON-FRI.",
    )


def written_out(expression: str) -> str:
    """Return ``expression`` with a word such as ``@daily`` replaced by its fields."""
    if not expression.startswith("@"):
        return expression
    try:
        return PRESETS[expression[1:].lower()]
    except KeyError:
        known = ", ".join(f"@{word}" for word in PRESETS)
        raise _invalid(f"{expression!r} is not a known word.", hint=f"Known: {known}.") from None


def _checked_text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise _invalid("cron must be an expression.", hint="0 12 * * * means every day at noon.")
    if len(value) > LONGEST:
        raise _invalid(f"A cron expression is at most {LONGEST} characters long.")
    if not _LETTERS.fullmatch(value):
        raise _invalid(
            "A cron expression consists of digits, names, spaces and * / , - # ? only.",
            hint="Other digits, line breaks and control characters are refused.",
        )
    return " ".join(value.split())


def _invalid(message: str, *, hint: str = "") -> TriggerError:
    return TriggerError("cron", "schedule.cron_invalid", message, hint=hint)


def _next_second(instant: datetime) -> datetime:
    """The first whole second after ``instant``, from ``FIRST`` up to ``HORIZON``."""
    if instant >= HORIZON:
        return HORIZON
    return max(FIRST, instant.astimezone(UTC).replace(microsecond=0) + _SECOND)


def _local(instant: datetime, offset: timedelta) -> datetime:
    return instant.replace(tzinfo=None) + offset


def _instant(local: datetime, offset: timedelta) -> datetime:
    return (local - offset).replace(tzinfo=UTC)

"""Which instants a list of local times names, found by looking at every minute; for tests only.

Shares nothing with the code under test but the zone itself.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
ZONES = sorted(available_timezones() - {"Factory", "localtime", "posixrules"})


@dataclass(frozen=True)
class Film:
    """Every minute of some days, and what clocks show in it: (instant, local time), in order."""

    minutes: list[tuple[datetime, datetime]]

    @classmethod
    def of(cls, zone: ZoneInfo, start: datetime, end: datetime) -> Film:
        number = (end - start) // MINUTE
        instants = [start + n * MINUTE for n in range(number)]
        return cls([(at, at.astimezone(zone).replace(tzinfo=None)) for at in instants])

    def showing(self, hours: Collection[int], minutes: Collection[int]) -> list[datetime]:
        """The instants at which clocks show one of the times."""
        return [at for at, local in self.minutes if local.hour in hours and local.minute in minutes]

    def named(self, hours: Collection[int], minutes: Collection[int]) -> list[datetime]:
        """The instants that the times name, once per date: P10 in its own words."""
        first: dict[datetime, datetime] = {}
        for at, local in self.minutes:
            first.setdefault(local, at)
        dates = sorted({local.date() for local in first})
        times = [
            datetime(day.year, day.month, day.day, hour, minute)  # noqa: DTZ001  local time
            for day in dates
            for hour in hours
            for minute in minutes
        ]
        begin, end = self.minutes[0][1], self.minutes[-1][1]
        inside = [time for time in times if begin <= time <= end]
        return sorted({first.get(time) or self._shifted(time) for time in inside})

    def _shifted(self, missing: datetime) -> datetime:
        """Read a time that no clock shows with the offset of the last minute before it."""
        at, local = max((local, at) for at, local in self.minutes if local < missing)[::-1]
        return missing.replace(tzinfo=UTC) - (local.replace(tzinfo=UTC) - at)


@cache
def change_days(name: str, first_year: int, last_year: int) -> list[date]:
    """The UTC days on which the zone's offset changes."""
    zone = ZoneInfo(name)
    start = datetime(first_year, 1, 1, tzinfo=UTC)
    steps = range(0, (last_year - first_year + 1) * 365, 4)  # changes are further apart
    offsets = [(start + n * DAY).astimezone(zone).utcoffset() for n in steps]
    rough = [start + n * DAY for n, (a, b) in zip(steps, pairwise(offsets), strict=False) if a != b]
    return [_exact_day(zone, day).date() for day in rough]


def _exact_day(zone: ZoneInfo, day: datetime) -> datetime:
    offset = day.astimezone(zone).utcoffset()
    while (day + DAY).astimezone(zone).utcoffset() == offset:
        day += DAY
    return day

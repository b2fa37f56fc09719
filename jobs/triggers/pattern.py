"""What a cron expression says, on the calendar and clock of an imagined place without time zone.

Moments are naive datetimes of whole seconds; stretches of time are half open, ``start <= t < end``.
"""

from __future__ import annotations

from bisect import bisect_left
from calendar import monthrange
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import islice
from typing import TypeAlias

from jobs.triggers.base import FIRST, HORIZON

ALL_YEARS = range(FIRST.year, HORIZON.year)
DayRule: TypeAlias = Callable[[date], bool]
"""Whether a date counts; may look at the weekday, the day and the length of the month only."""

_DAY = timedelta(days=1)
# A day rule that ever holds does so within 40 years (29 February on one weekday, across 2100).
# Lists of single years are at most 130 long.
_FAR = 130 * 12
_HOURS_A_DAY = 24


@dataclass(frozen=True, slots=True)
class Times:
    """The times of day that are a listed hour, a listed minute and a listed second at once.

    They are numbered in order from 0; a time of day is the number of seconds since midnight.
    """

    hours: Sequence[int]
    minutes: Sequence[int]
    seconds: Sequence[int]

    def __len__(self) -> int:
        return len(self.hours) * len(self.minutes) * len(self.seconds)

    def __getitem__(self, number: int) -> int:
        number, second = divmod(number, len(self.seconds))
        hour, minute = divmod(number, len(self.minutes))
        return self.hours[hour] * 3600 + self.minutes[minute] * 60 + self.seconds[second]

    def rank(self, time_of_day: int) -> int:
        """Return how many of the times are earlier."""
        parts = (time_of_day // 3600, time_of_day // 60 % 60, time_of_day % 60)
        rank, exact = 0, True
        for part, listed in zip(parts, (self.hours, self.minutes, self.seconds), strict=True):
            index = bisect_left(listed, part) if exact else 0
            exact = exact and index < len(listed) and listed[index] == part
            rank = rank * len(listed) + index
        return rank


class Days:
    """The dates in some months of some years for which a rule holds."""

    def __init__(
        self, rule: DayRule, *, months: Sequence[int], years: Sequence[int] = ALL_YEARS
    ) -> None:
        self.months = months
        self.years = years
        self._rule = rule
        self._by_shape: dict[tuple[int, int], tuple[int, ...]] = {}

    def first(self, start: date) -> date | None:
        """Return the first day that is not before ``start``."""
        for year, month in islice(self._months_from(start), _FAR):
            days = self._of_month(year, month)
            index = bisect_left(days, start.day) if (year, month) == _month(start) else 0
            if index < len(days):
                return date(year, month, days[index])
        return None

    def last(self, end: date) -> date | None:
        """Return the last day before ``end``."""
        for year, month in islice(self._months_to(end), _FAR):
            days = self._of_month(year, month)
            index = bisect_left(days, end.day) if (year, month) == _month(end) else len(days)
            if index > 0:
                return date(year, month, days[index - 1])
        return None

    def count(self, start: date, end: date) -> int:
        """Return how many days there are, ``end`` not included."""
        total = 0
        for year, month in self._months_from(start):
            if (year, month) > _month(end):
                break
            days = self._of_month(year, month)
            low = bisect_left(days, start.day) if (year, month) == _month(start) else 0
            high = bisect_left(days, end.day) if (year, month) == _month(end) else len(days)
            total += high - low
        return total

    def _of_month(self, year: int, month: int) -> tuple[int, ...]:
        """Months of one length that begin on one weekday look alike; there are 28 such shapes."""
        shape = monthrange(year, month)
        if shape not in self._by_shape:
            days = range(1, shape[1] + 1)
            self._by_shape[shape] = tuple(d for d in days if self._rule(date(year, month, d)))
        return self._by_shape[shape]

    def _months_from(self, start: date) -> Iterator[tuple[int, int]]:
        for year in self.years[bisect_left(self.years, start.year) :]:
            for month in self.months:
                if (year, month) >= _month(start):
                    yield year, month

    def _months_to(self, end: date) -> Iterator[tuple[int, int]]:
        for year in reversed(self.years[: bisect_left(self.years, end.year + 1)]):
            for month in reversed(self.months):
                if (year, month) <= _month(end):
                    yield year, month


@dataclass(frozen=True, slots=True)
class Pattern:
    """Some times of day on some days. Neither is empty."""

    times: Times
    days: Days

    @property
    def every_hour(self) -> bool:
        """Whether no hour is singled out, so that no local time is meant by its name."""
        return len(self.times.hours) == _HOURS_A_DAY

    def first(self, start: datetime) -> datetime | None:
        """Return the first moment that is not before ``start``."""
        day = self.days.first(start.date())
        number = self.times.rank(_time_of_day(start)) if day == start.date() else 0
        if number == len(self.times):
            day, number = self.days.first(start.date() + _DAY), 0
        return _moment(day, self.times[number]) if day else None

    def last(self, end: datetime) -> datetime | None:
        """Return the last moment before ``end``."""
        day = self.days.last(end.date() + _DAY)
        number = self.times.rank(_time_of_day(end)) if day == end.date() else len(self.times)
        if number == 0:
            day, number = self.days.last(end.date()), len(self.times)
        return _moment(day, self.times[number - 1]) if day else None

    def count(self, start: datetime, end: datetime) -> int:
        """Return how many moments there are, ``end`` not included."""
        return self._count_until(start.date(), end) - self._count_until(start.date(), start)

    def between(self, start: datetime, end: datetime) -> Iterator[datetime]:
        """Yield the moments in order, ``end`` not included."""
        day = self.days.first(start.date())
        while day and day <= end.date():
            low = self.times.rank(_time_of_day(start)) if day == start.date() else 0
            high = self.times.rank(_time_of_day(end)) if day == end.date() else len(self.times)
            yield from (_moment(day, self.times[number]) for number in range(low, high))
            day = self.days.first(day + _DAY)

    def _count_until(self, start: date, end: datetime) -> int:
        """Count from midnight of ``start``."""
        whole_days = self.days.count(start, end.date()) * len(self.times)
        counts_today = self.days.first(end.date()) == end.date()
        return whole_days + (self.times.rank(_time_of_day(end)) if counts_today else 0)


def _month(day: date) -> tuple[int, int]:
    return day.year, day.month


def _time_of_day(moment: datetime) -> int:
    return moment.hour * 3600 + moment.minute * 60 + moment.second


def _moment(day: date, time_of_day: int) -> datetime:
    return datetime.combine(day, time()) + timedelta(seconds=time_of_day)

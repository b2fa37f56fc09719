"""How the local time of a zone maps onto real time, gaps and folds included."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator
    from zoneinfo import ZoneInfo

_DAY = timedelta(days=1)
_SECOND = timedelta(seconds=1)
# Since 1970 no zone of the tz database changed its offset twice within a week.
_PROBE = timedelta(days=3)


@dataclass(frozen=True, slots=True)
class Change:
    """From the instant ``at`` on, local time is UTC + ``after``; up to it, UTC + ``before``."""

    at: datetime
    before: timedelta
    after: timedelta

    @property
    def shift(self) -> timedelta:
        """How far clocks are put forward (a gap) or, below zero, back (a fold)."""
        return self.after - self.before

    @property
    def is_fold(self) -> bool:
        return self.shift < timedelta(0)

    @property
    def removes_dates(self) -> bool:
        """Whether the gap is so long that a date does not exist: the date line moved."""
        return self.shift >= _DAY

    @property
    def local_times(self) -> tuple[datetime, datetime]:
        """Start and end, naive, of the local times that do not exist or happen twice."""
        at = self.at.replace(tzinfo=None)
        return at + min(self.before, self.after), at + max(self.before, self.after)


@dataclass(frozen=True, slots=True)
class Span:
    """The real time ``start <= t < end``; local times are read in it with each of ``offsets``."""

    start: datetime
    end: datetime
    offsets: tuple[timedelta, ...]


Cut: TypeAlias = tuple[datetime, tuple[timedelta, ...]]
"""From this instant on, read local times with these offsets."""

Reading: TypeAlias = Callable[[Change], list[Cut]]


def by_the_wall(change: Change) -> list[Cut]:
    """Read local time as a clock on the wall shows it: gaps are jumped, folds are seen twice."""
    return [(change.at, (change.after,))]


def by_the_name(change: Change) -> list[Cut]:
    """Read every local time exactly once, as RFC 5545 says.

    The times of a gap are read with the offset before it: they shift forward by its length, into
    real time that is thus read with both offsets. The second pass of a fold is not read at all.
    A gap of a whole day is a date that does not exist; its times shift nowhere.
    """
    if change.removes_dates:
        return by_the_wall(change)
    meanwhile = () if change.is_fold else (change.before, change.after)
    return [(change.at, meanwhile), (change.at + abs(change.shift), (change.after,))]


@lru_cache(maxsize=8192)
def spans(zone: ZoneInfo, year: int, reading: Reading) -> tuple[Span, ...]:
    """Return the spans of ``year`` (in UTC) in order; they do not overlap."""
    start, end = datetime(year, 1, 1, tzinfo=UTC), datetime(year + 1, 1, 1, tzinfo=UTC)
    before = start - 2 * _DAY  # a change just before New Year still matters after it
    cuts: list[Cut] = [(before, (_offset(zone, before),))]
    for change in changes(zone, before, end):
        cuts += reading(change)
    pieces = (
        Span(max(since, start), min(until, end), offsets)
        for (since, offsets), (until, _) in pairwise([*cuts, (end, ())])
    )
    return tuple(piece for piece in pieces if piece.start < piece.end and piece.offsets)


def changes(zone: ZoneInfo, start: datetime, end: datetime) -> Iterator[Change]:
    """Yield the changes of the zone's offset between two instants, in order."""
    while start < end:
        probe = min(start + _PROBE, end)
        before, after = _offset(zone, start), _offset(zone, probe)
        if before != after:
            yield Change(_first_second(zone, start, probe), before, after)
        start = probe


def _first_second(zone: ZoneInfo, low: datetime, high: datetime) -> datetime:
    """Halve the time between two instants until the first second with the offset of ``high``."""
    old = _offset(zone, low)
    while high - low > _SECOND:
        middle = low + (high - low) // _SECOND // 2 * _SECOND
        low, high = (middle, high) if _offset(zone, middle) == old else (low, middle)
    return high


def _offset(zone: ZoneInfo, instant: datetime) -> timedelta:
    return instant.astimezone(zone).utcoffset() or timedelta(0)

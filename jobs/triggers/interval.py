"""Slots at a fixed distance; time zones and their changes do not matter."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from jobs.triggers.base import FIRST, HORIZON, TriggerError, checked_instant

if TYPE_CHECKING:
    from collections.abc import Mapping

LONGEST_SECONDS = 10 * 366 * 86_400
_MOMENT = timedelta.resolution


@dataclass(frozen=True, slots=True)
class IntervalTrigger:
    """Slots at ``anchor + n * every`` for every whole ``n``, negative ones too.

    The anchor only sets the phase; it is neither a start nor a first slot. All answers are
    arithmetic, so none depends on how many slots are skipped.
    """

    every: timedelta
    anchor: datetime = FIRST

    def after(self, instant: datetime) -> datetime | None:
        distance = (self._periods(instant) + 1) * self.every
        return self.anchor + distance if distance < HORIZON - self.anchor else None

    def at_or_before(self, instant: datetime) -> datetime | None:
        distance = self._periods(instant) * self.every
        return self.anchor + distance if distance >= FIRST - self.anchor else None

    def count(self, after: datetime, until: datetime) -> int:
        return max(0, self._periods(until) - self._periods(after))

    def _periods(self, instant: datetime) -> int:
        """Number of the last slot that is not after ``instant``."""
        within = min(max(instant, FIRST - _MOMENT), HORIZON - _MOMENT)
        return (within - self.anchor) // self.every


def build(schedule: Mapping[str, Any]) -> IntervalTrigger:
    """Build from ``every_seconds`` (whole seconds, up to ten years) and perhaps ``anchor``."""
    seconds = _checked_seconds(schedule.get("every_seconds"))
    anchor = schedule.get("anchor")
    return IntervalTrigger(
        timedelta(seconds=seconds),
        FIRST if anchor is None else checked_instant("anchor", anchor),
    )


def _checked_seconds(value: Any) -> int:
    """60 and 60.0 are the same number; ``True`` and "60" are none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _invalid("every_seconds must be a number of seconds.")
    if not 1 <= value <= LONGEST_SECONDS:  # also refuses NaN, which compares with nothing
        raise _invalid(f"every_seconds must lie between 1 and {LONGEST_SECONDS} (ten years).")
    if value != int(value):
        raise _invalid("every_seconds must be a whole number: one second is the finest interval.")
    return int(value)


def _invalid(message: str) -> TriggerError:
    return TriggerError(
        "every_seconds", "schedule.interval_invalid", message, hint="60 means once a minute."
    )

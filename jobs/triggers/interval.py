"""Slots at a fixed distance, from each other or from the end of the execution before."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from jobs.triggers.base import FIRST, HORIZON, TriggerError, checked_instant

if TYPE_CHECKING:
    from collections.abc import Mapping

FIXED_DELAY = "fixed_delay"
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


@dataclass(frozen=True, slots=True)
class DelayTrigger:
    """One slot, ``every`` after whatever came before: the end of an execution, or its creation.

    No slot is known beyond that one, so none can be looked up or counted: whoever takes the slot
    asks again, with ``after``, when its execution has ended.
    """

    every: timedelta
    earliest: datetime = FIRST

    def after(self, instant: datetime) -> datetime | None:
        if instant >= HORIZON - self.every:
            return None
        return max(instant + self.every, self.earliest)

    def at_or_before(self, instant: datetime) -> datetime | None:
        return None

    def count(self, after: datetime, until: datetime) -> int:
        return 0


def build(schedule: Mapping[str, Any]) -> IntervalTrigger | DelayTrigger:
    """Build from ``every_seconds`` (whole seconds, up to ten years), and perhaps ``anchor``.

    With the ``mode`` ``fixed_delay`` there is no anchor, and the first slot may wait for
    ``starts_at``.
    """
    every = timedelta(seconds=_checked_seconds(schedule.get("every_seconds")))
    if schedule.get("mode") == FIXED_DELAY:
        return DelayTrigger(every, _instant(schedule, "starts_at"))
    return IntervalTrigger(every, _instant(schedule, "anchor"))


def _instant(schedule: Mapping[str, Any], name: str) -> datetime:
    value = schedule.get(name)
    return FIRST if value is None else checked_instant(name, value)


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

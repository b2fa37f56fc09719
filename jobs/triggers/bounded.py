"""The slots of another trigger within bounds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from jobs.triggers.base import FIRST, HORIZON, Trigger, TriggerError, checked_instant

if TYPE_CHECKING:
    from collections.abc import Mapping

_MOMENT = timedelta.resolution


@dataclass(frozen=True, slots=True)
class BoundedTrigger:
    """The slots of ``inner`` with ``starts_at <= slot < ends_at``; their phase stays as it is."""

    inner: Trigger
    starts_at: datetime = FIRST
    ends_at: datetime = HORIZON

    def after(self, instant: datetime) -> datetime | None:
        slot = self.inner.after(instant)
        if slot and slot < self.starts_at:
            slot = self.inner.after(self.starts_at - _MOMENT)
        return slot if slot and slot < self.ends_at else None

    def at_or_before(self, instant: datetime) -> datetime | None:
        slot = self.inner.at_or_before(min(instant, self.ends_at - _MOMENT))
        return slot if slot and slot >= self.starts_at else None

    def count(self, after: datetime, until: datetime) -> int:
        low = max(after, self.starts_at - _MOMENT)
        high = min(until, self.ends_at - _MOMENT)
        return self.inner.count(low, high) if low < high else 0


def bounds(schedule: Mapping[str, Any]) -> dict[str, datetime]:
    """Return ``starts_at`` and ``ends_at`` in UTC, as far as ``schedule`` names them.

    Raises ``TriggerError`` for a bound that is no instant and for bounds with nothing between.
    """
    named = {
        name: checked_instant(name, schedule[name])
        for name in ("starts_at", "ends_at")
        if schedule.get(name) is not None
    }
    if named.get("ends_at", HORIZON) <= named.get("starts_at", FIRST):
        raise TriggerError(
            "ends_at", "schedule.bounds_crossed", "ends_at must come after starts_at."
        )
    return named


def unbounded(trigger: Trigger) -> Trigger:
    """Return the rule itself, without its bounds."""
    return trigger.inner if isinstance(trigger, BoundedTrigger) else trigger

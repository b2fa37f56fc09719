"""Which slots are due: an account of its own, by counting, that asks nothing of the engine."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta


@dataclass(slots=True)
class Slots:
    """The slots of one interval schedule, from what was done to its job.

    ``due`` must each be executed or skipped with a reason; ``forgiven`` may be: their job was
    paused, archived or changed before anybody noticed them. Slots up to ``decided`` are in one
    of the two, or were never due.
    """

    anchor: datetime
    every: timedelta
    decided: datetime
    active: bool = True
    due: set[datetime] = field(default_factory=set)
    forgiven: set[datetime] = field(default_factory=set)

    def between(self, after: datetime, until: datetime) -> set[datetime]:
        """Slots after ``after``, up to and with ``until``."""
        number = max(0, (after - self.anchor) // self.every)
        slots = set()
        while (slot := self.anchor + number * self.every) <= until:
            if slot > after:
                slots.add(slot)
            number += 1
        return slots

    def fired(self, now: datetime) -> None:
        """A beat looked at all schedules at ``now``."""
        if self.active and now > self.decided:
            self.due |= self.between(self.decided, now)
            self.decided = now

    def forget(self, now: datetime) -> None:
        """What passed until ``now`` and was not noticed is nobody's any more."""
        self.forgiven |= self.between(self.decided, now)
        self.decided = max(now, self.decided)

    def begin(self, now: datetime, *, anchor: datetime, every: timedelta) -> None:
        """From ``now`` on other slots are due."""
        self.forget(now)
        self.anchor, self.every, self.decided = anchor, every, now

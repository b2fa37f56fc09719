"""Which slots are due: an account of its own, by counting, that asks nothing of the engine."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tests.simulation.looking import Row, must

GRACE = timedelta(seconds=60)  # a slot that is noticed later is late


@dataclass(slots=True)
class Slots:
    """The slots of one interval schedule, from what was done to its job.

    ``due`` must each be executed or skipped with a reason, ``possible`` may be: a beat may have
    fired them while an edit that replaced them was on its way. Slots up to ``decided`` are in one
    of the two, or were never due. ``accounted`` are those that the engine has a row for, ``run``
    those that it ran since the last ``expect``.
    """

    anchor: datetime
    every: timedelta
    decided: datetime
    active: bool = True
    due: set[datetime] = field(default_factory=set)
    possible: set[datetime] = field(default_factory=set)
    accounted: Counter[datetime] = field(default_factory=Counter)
    expected: set[datetime] | None = None
    run: set[datetime] = field(default_factory=set)

    def between(self, after: datetime, until: datetime) -> set[datetime]:
        """Slots after ``after``, up to and with ``until``."""
        number = max(0, (after - self.anchor) // self.every)
        slots = set()
        while (slot := self.anchor + number * self.every) <= until:
            if slot > after:
                slots.add(slot)
            number += 1
        return slots

    def pass_by(self, now: datetime) -> None:
        """Everything up to ``now`` is decided: a beat looked, or somebody passed it over."""
        self.due |= self.between(self.decided, now)
        self.decided = max(now, self.decided)

    def begin(self, believed: datetime, now: datetime, *, anchor: datetime, every: float) -> None:
        """Other slots are due from now on, by an edit that ``believed`` in an earlier time.

        Between the two either rule may have been asked.
        """
        self.pass_by(believed)
        self.possible |= self.between(self.decided, now)
        self.anchor, self.every = anchor, timedelta(seconds=every)
        self.possible |= self.between(believed, now)
        self.decided = now

    def expect(self, now: datetime, *, misfire: str, cap: int) -> None:
        """Say which of the slots that a beat decides about ``now`` must run, by brute force."""
        due = sorted(self.between(self.decided, now) - self.accounted.keys())
        if due and due[0] < now - GRACE:
            match misfire:
                case "skip":
                    due = [slot for slot in due if slot >= now - GRACE]
                case "latest":
                    due = due[-1:]
                case "all":
                    due = due[-cap:]
        self.expected, self.run = set(due), set()

    def judge_misfire(self) -> None:
        """What ran since ``expect`` must be what was expected.

        A slot that was only possible may run as well, and instead of those before it.
        """
        expected, self.expected = self.expected, None
        if expected is not None:
            odd = expected ^ self.run if not self.run & self.possible else self.run - expected
            odd -= self.possible
            must(not odd, f"against the misfire policy: {_spelt(sorted(odd))}")

    def account_for(self, row: Row) -> None:
        """The engine stored ``row``: it stands for a slot, or for a whole skipped stretch."""
        slots = {row["scheduled_for"]}
        if row["status"] != "skipped":
            self.run |= slots
        detail = json.loads(row["result"] or "{}")
        if row["status"] == "skipped" and "count" in detail:
            first, last = (datetime.fromisoformat(detail[name]) for name in ("first", "last"))
            slots |= self.between(first, last)
            must(len(slots) == detail["count"], f"a stretch of {len(slots)} slots says {detail}")
        self.accounted.update(slots)

    def judge(self, now: datetime) -> None:
        """Every due slot is executed or skipped, exactly once, and no other."""
        twice = sorted(slot for slot, times in self.accounted.items() if times > 1)
        must(not twice, f"slots accounted for twice: {_spelt(twice)}")
        missing = sorted(self.due - self.accounted.keys())
        must(not missing, f"slots that vanished: {_spelt(missing)}")
        known = self.due | self.possible | self.between(self.decided, now)
        unexpected = sorted(self.accounted.keys() - known)
        must(not unexpected, f"slots that were never due: {_spelt(unexpected)}")


def _spelt(slots: list[datetime]) -> str:
    return ", ".join(f"{slot:%H:%M:%S}" for slot in slots)

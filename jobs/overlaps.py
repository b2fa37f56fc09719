"""The rule for a slot that is due while earlier ones of its schedule are unfinished; pure.

A slot that was fired late (more than ``policies.GRACE`` after it was due) is being made up for:
the misfire policy has already decided that it runs, so it is not skipped, not replaced and replaces
none, but waits until all earlier slots are finished, as with ``QUEUE_ALL``. So do the slots that
come while such a backlog is being worked off. Else ``Misfire.ALL`` with ``Overlap.SKIP`` would run
the first slot of a backlog and skip the others. With ``ALLOW`` all run side by side.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING

from jobs.policies import GRACE, Overlap

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

AHEAD = 2  # no rule asks whether there are more


class Ruling(Enum):
    """What becomes of the slot: it runs, waits, is skipped, or takes the earlier ones' place."""

    RUN = auto()
    WAIT = auto()
    SKIP = auto()
    REPLACE = auto()


@dataclass(frozen=True, slots=True)
class Slot:
    """An instant that a schedule names, and when a beat noticed it."""

    at: datetime
    fired_at: datetime

    @property
    def made_up(self) -> bool:
        return self.fired_at - self.at > GRACE


_WHILE_ANOTHER = {
    Overlap.SKIP: Ruling.SKIP,
    Overlap.QUEUE: Ruling.WAIT,
    Overlap.QUEUE_ALL: Ruling.WAIT,
    Overlap.CANCEL_PREVIOUS: Ruling.REPLACE,
}


def rule(overlap: Overlap, slot: Slot, *, unfinished: Collection[Slot]) -> Ruling:
    """Say what becomes of ``slot`` when the first ``AHEAD`` of the unfinished are these."""
    ahead = [one for one in unfinished if one.at < slot.at]
    if not ahead or overlap is Overlap.ALLOW:
        return Ruling.RUN
    if any(one.made_up for one in (slot, *ahead)):
        return Ruling.WAIT
    if overlap is Overlap.QUEUE and len(ahead) > 1:
        return Ruling.SKIP
    return _WHILE_ANOTHER[overlap]

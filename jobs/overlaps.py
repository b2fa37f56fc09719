"""The rule for a slot that is due while earlier ones of its schedule are unfinished; pure.

A slot that was fired late (``policies.GRACE`` after it was due, or more) is being made up for: the
misfire policy has already decided that it runs, so it is never skipped and cancels nothing, but
waits until all earlier slots are finished, as with ``QUEUE_ALL``. Else ``Misfire.ALL`` with
``Overlap.SKIP`` would run the first slot of a backlog and skip the others. Punctual slots go by
the schedule's own policy, also while a backlog is being made up for; with ``ALLOW`` all run.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING

from jobs.policies import GRACE, Overlap

if TYPE_CHECKING:
    from datetime import datetime

AHEAD = 2  # no rule asks whether there are more


class Ruling(Enum):
    """What becomes of the slot: it runs, waits, is skipped, or takes the earlier ones' place."""

    RUN = auto()
    WAIT = auto()
    SKIP = auto()
    REPLACE = auto()


def policy_of(overlap: Overlap, *, slot: datetime, fired_at: datetime) -> Overlap:
    """Return the policy for a ``slot`` that was fired at ``fired_at``."""
    if overlap is Overlap.ALLOW or fired_at - slot <= GRACE:
        return overlap
    return Overlap.QUEUE_ALL


def rule(overlap: Overlap, *, ahead: int) -> Ruling:
    """Say what becomes of a slot with ``ahead`` earlier ones unfinished; more than 2 count as 2."""
    if not ahead:
        return Ruling.RUN
    match overlap:
        case Overlap.ALLOW:
            return Ruling.RUN
        case Overlap.SKIP:
            return Ruling.SKIP
        case Overlap.QUEUE:
            return Ruling.WAIT if ahead == 1 else Ruling.SKIP
        case Overlap.QUEUE_ALL:
            return Ruling.WAIT
        case Overlap.CANCEL_PREVIOUS:
            return Ruling.REPLACE

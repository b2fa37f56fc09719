"""Go from slot to slot of any trigger, a bounded number of steps."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

from jobs.triggers.base import HORIZON

if TYPE_CHECKING:
    from jobs.triggers.base import Trigger

_FINEST = timedelta(seconds=1)


def slots_between(
    trigger: Trigger, after: datetime, until: datetime, *, limit: int
) -> list[datetime]:
    """Return the first ``limit`` slots with ``after < slot <= until``, in order."""
    slots: list[datetime] = []
    slot = trigger.after(after)
    while slot and slot <= until and len(slots) < limit:
        slots.append(slot)
        slot = trigger.after(slot)
    return slots


def shortest_gap(trigger: Trigger, after: datetime, *, looked_at: int = 200) -> timedelta | None:
    """Return the shortest time between two slots in a row among the next ``looked_at``.

    None if there are not two of them.
    """
    slots = slots_between(trigger, after, HORIZON, limit=looked_at)
    return min((later - slot for slot, later in pairwise(slots)), default=None)


def first_of_newest(trigger: Trigger, after: datetime, until: datetime, *, number: int) -> datetime:
    """Return the first of the newest ``number`` slots with ``after < slot <= until``.

    There must be at least ``number`` of them. The way there is halved with each step, so it is
    about as long for a year as for a day.
    """
    low, high = after, until
    while high - low > _FINEST:  # slots are never closer
        middle = low + (high - low) / 2
        above = trigger.count(middle, high)
        if above >= number:
            low = middle
        else:
            high, number = middle, number - above
    found = trigger.at_or_before(high)
    assert found is not None  # noqa: S101  counted above
    return found

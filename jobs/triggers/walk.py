"""Go from slot to slot of any trigger, a bounded number of steps."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

from jobs.triggers.base import HORIZON

if TYPE_CHECKING:
    from jobs.triggers.base import Trigger

_FINEST = timedelta(seconds=1)
_FEW_YEARS = timedelta(days=8 * 366)  # there is a 29 February in them
_LOOKED_AT = 200


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


def shortest_gap(trigger: Trigger, after: datetime) -> timedelta | None:
    """Return the shortest time between two slots in a row, of those within a few years.

    None if there are not two of them. Looks at a bounded number of slots, enough for every
    hour, minute and second that an expression lists to come up.
    """
    first = trigger.after(after)
    if first is None:
        return None
    until = min(first + _FEW_YEARS, HORIZON)
    slots = [first, *slots_between(trigger, first, until, limit=_LOOKED_AT)]
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

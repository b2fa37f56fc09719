"""Which due slots of a schedule run, which are skipped and why, and when the late ones start."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from jobs.policies import BATCH, CATCH_UP, GRACE, Misfire
from jobs.triggers.walk import first_of_newest, slots_between

if TYPE_CHECKING:
    from datetime import datetime

    from jobs.triggers.base import Trigger

_MOMENT = timedelta.resolution

NO_GRACE = -_MOMENT
"""Every due slot is late, also the one that is due at this instant."""


class Why(StrEnum):
    """Why slots did not run; the words are reasons of executions.

    ``MISFIRE``: they were noticed late, and the misfire policy says so. ``CATCH_UP_CAP``: more
    were late than the job makes up for. ``PAUSED``, ``EDITED``, ``ARCHIVED``: they passed while
    the job was paused, before the edit that replaced their schedule, while it was archived.
    ``ENDED``: the schedule had run as often as it may.
    """

    MISFIRE = "misfire"
    CATCH_UP_CAP = "catch_up_cap"
    PAUSED = "paused"
    EDITED = "edited"
    ARCHIVED = "archived"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Stretch:
    """Slots in a row that do not run: the first, the last, how many with both, and why."""

    first: datetime
    last: datetime
    count: int
    why: Why = Why.MISFIRE


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of the due slots of a schedule, each of which is in exactly one place.

    ``run`` is in order and begins with ``late`` late ones. ``cursor`` is the first slot that is
    not decided yet: usually in the future, None if there is none. It is still due when more
    slots run than fit into one batch; ask again then.
    """

    run: list[datetime]
    skipped: tuple[Stretch, ...]
    cursor: datetime | None
    late: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What a schedule does about due slots.

    ``cap`` is how many slots ``Misfire.ALL`` makes up for, ``left`` how many more may run at all
    (None: any number), ``why`` the reason of those that the misfire policy skips. Slots noticed
    more than ``grace`` after they were due are late.
    """

    misfire: Misfire
    cap: int = CATCH_UP
    left: int | None = None
    grace: timedelta = GRACE
    why: Why = Why.MISFIRE


def slots_to_run(trigger: Trigger, cursor: datetime, now: datetime, rule: Rule) -> Taken:
    """Decide about every slot from ``cursor``, the first one not decided yet, up to ``now``.

    The answer holds at most ``BATCH`` slots and is found in bounded time, however many are due.
    """
    if cursor > now:
        return Taken([], (), cursor)
    if rule.left is not None and rule.left <= 0:
        return Taken([], _stretch(trigger, cursor, now + _MOMENT, Why.ENDED), None)
    kept, why = _first_kept(trigger, cursor, now, rule)
    skipped = _stretch(trigger, cursor, kept or now + _MOMENT, why)
    if kept is None or kept > now:
        return Taken([], skipped, kept)
    run = [kept, *slots_between(trigger, kept, now, limit=BATCH - 1)]
    late = sum(slot < now - rule.grace for slot in run)
    taken = Taken(run, skipped, trigger.after(run[-1]), late)
    return _kept_to(taken, rule.left, trigger=trigger, now=now)


def pass_over(trigger: Trigger, cursor: datetime, now: datetime, why: Why) -> Taken:
    """Skip every slot from ``cursor`` up to ``now``, the punctual ones too."""
    rule = Rule(misfire=Misfire.SKIP, grace=NO_GRACE, why=why)
    return slots_to_run(trigger, cursor, now, rule)


def ended(trigger: Trigger, *, after: datetime, now: datetime) -> tuple[Stretch, ...]:
    """Describe the slots after the last run of a schedule that has run as often as it may."""
    return _stretch(trigger, trigger.after(after), now + _MOMENT, Why.ENDED)


def due_at(taken: Taken, *, jitter: timedelta, since: datetime, pace: timedelta) -> list[datetime]:
    """Return when each of ``taken.run`` starts: ``jitter`` after its slot, never before it.

    The late ones start one after the other from ``since`` on, ``pace`` apart.
    """
    return [
        max(slot + jitter, since + number * pace) if number < taken.late else slot + jitter
        for number, slot in enumerate(taken.run)
    ]


def _first_kept(
    trigger: Trigger, cursor: datetime, now: datetime, rule: Rule
) -> tuple[datetime | None, Why]:
    """Return the first slot from ``cursor`` on that is not skipped, and why those before it are.

    It may lie after ``now``.
    """
    punctual = now - rule.grace
    if cursor >= punctual:
        return cursor, rule.why
    match rule.misfire:
        case Misfire.SKIP:
            return trigger.after(punctual - _MOMENT), rule.why
        case Misfire.LATEST:
            return max(cursor, trigger.at_or_before(now) or cursor), rule.why
        case Misfire.ALL if 1 + trigger.count(cursor, now) > rule.cap:
            newest = first_of_newest(trigger, cursor, now, number=rule.cap)
            return newest, Why.CATCH_UP_CAP
    return cursor, rule.why


def _stretch(
    trigger: Trigger, first: datetime | None, end: datetime, why: Why
) -> tuple[Stretch, ...]:
    """Describe the slots from ``first`` on and before ``end``; nothing when there are none."""
    if first is None or first >= end:
        return ()
    last = max(first, trigger.at_or_before(end - _MOMENT) or first)
    return (Stretch(first, last, 1 + trigger.count(first, last), why),)


def _kept_to(taken: Taken, left: int | None, *, trigger: Trigger, now: datetime) -> Taken:
    """Keep to the ``left`` slots that may still run; those behind them are not due any more."""
    if left is None or len(taken.run) < left:
        return taken
    run = taken.run[:left]
    skipped = (*taken.skipped, *ended(trigger, after=run[-1], now=now))
    return replace(taken, run=run, skipped=skipped, cursor=None, late=min(taken.late, len(run)))

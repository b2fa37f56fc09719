"""What became of a plan under a fault: pure, from records of both sides to a verdict.

The database tells executions, attempts and events; the target, which belongs to the test, tells
what really started. Their shapes stand in ``facts``.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tests.crash.facts import AttemptRow, ExecutionRow, Fault, History, Plan, Slot, Start

TOLERANCE = timedelta(milliseconds=50)
"""By how much an end may seem later than the start that it allowed.

An end is recorded with the database's time, counted on by a process between two readings, and a
start with the target's. Both are one host's clock, so they differ by a round trip and by how
evenly the clock is slewed, not by more.
"""

FINISHED = frozenset({"succeeded", "failed", "skipped", "cancelled"})
MAY_START_AGAIN = frozenset({"failed", "lost", "handed_back"})
"""Outcomes of an attempt after which its execution may start another one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Each violation as a sentence; ``recovery_p99`` and ``first_progress`` in seconds.

    Recovery is the time from a fault to the next start of an execution that it took an attempt of,
    progress the time from the end of a fault to the next start of any; of several faults the worst.

    ``lost``: promised and not done. ``stuck``: left unfinished, with nobody at work on it; what
    is stuck is lost, too. ``duplicates``: two executions of a slot, or two starts of what may
    start once. ``unexplained_starts``: started while, as far as was recorded, another attempt
    still ran or had done the work. ``late_writes``: an attempt changed what others had ended.
    """

    n: int
    lost: tuple[str, ...] = ()
    duplicates: tuple[str, ...] = ()
    unexplained_starts: tuple[str, ...] = ()
    late_writes: tuple[str, ...] = ()
    stuck: tuple[str, ...] = ()
    recovery_p99: float | None = None
    first_progress: float | None = None

    @property
    def violations(self) -> tuple[str, ...]:
        return (
            *self.lost,
            *self.duplicates,
            *self.unexplained_starts,
            *self.late_writes,
            *self.stuck,
        )

    @property
    def holds(self) -> bool:
        return not self.violations


@dataclass(slots=True)
class _Story:
    """All that is known of one execution."""

    id: str
    row: ExecutionRow | None = None
    attempts: dict[int, AttemptRow] = field(default_factory=dict)
    events: set[str] = field(default_factory=set)
    starts: list[Start] = field(default_factory=list)


def judge(plan: Plan, history: History, faults: Sequence[Fault]) -> Verdict:
    """Compare what was promised, what was recorded, and what really happened."""
    stories = _stories(history)
    planned = [stories[one] for one in sorted(_planned(plan, history))]
    return Verdict(
        n=plan.n,
        lost=(*_lost(plan, planned), *_lost_slots(plan, history)),
        duplicates=(*_doubled_slots(history), *_doubled_starts(plan, stories)),
        unexplained_starts=tuple(_each(_unexplained, stories.values())),
        late_writes=tuple(_each(_late_writes, stories.values())),
        stuck=tuple(_each(_stuck, stories.values())),
        recovery_p99=_p99(_recoveries(stories.values(), faults)),
        first_progress=_first_progress(history, faults),
    )


def _stories(history: History) -> defaultdict[str, _Story]:
    stories = _Stories()
    for row in history.executions:
        stories[row.id].row = row
    for attempt in history.attempts:
        stories[attempt.execution].attempts[attempt.number] = attempt
    for event in history.events:
        stories[event.execution].events.add(event.what)
    for start in sorted(history.starts, key=lambda start: start.at):
        stories[start.execution].starts.append(start)
    return stories


class _Stories(defaultdict[str, _Story]):
    def __missing__(self, key: str) -> _Story:
        self[key] = _Story(key)
        return self[key]


def _planned(plan: Plan, history: History) -> set[str]:
    owed = {row.id for row in history.executions if (row.schedule, row.slot) in plan.slots}
    return owed | plan.executions


def _each(rule: object, stories: Iterable[_Story]) -> Iterator[str]:
    assert callable(rule)
    for story in stories:
        yield from rule(story)


def _lost(plan: Plan, planned: Iterable[_Story]) -> Iterator[str]:
    for story in planned:
        row = story.row
        if row is None:
            yield f"{story.id}: promised, and there is no such execution"
        elif row.status not in FINISHED:
            yield f"{story.id}: promised, and still {row.status}"
        elif row.status == "succeeded" and not story.starts:
            yield f"{story.id}: said to have succeeded, and never started"
        elif row.status != "succeeded" and not _excused(plan, row):
            yield f"{story.id}: ended {row.status} ({row.reason or 'without a reason'})"
        elif row.status == "cancelled" and "cancelled" not in story.events:
            yield f"{story.id}: cancelled by nobody"
        elif row.status in {"skipped", "failed"} and not row.reason:
            yield f"{story.id}: {row.status} without a reason"


def _excused(plan: Plan, row: ExecutionRow) -> bool:
    return row.id in plan.may_fail or (row.status == "skipped" and row.schedule in plan.may_skip)


def _lost_slots(plan: Plan, history: History) -> Iterator[str]:
    made = {(row.schedule, row.slot) for row in history.executions}
    stretches = [row for row in history.executions if row.until is not None]
    for schedule, slot in sorted(plan.slots):
        skipped = any(
            row.schedule == schedule and row.slot and row.until and row.slot <= slot <= row.until
            for row in stretches
        )
        if (schedule, slot) not in made and not skipped:
            yield f"slot {slot:%H:%M:%S} of {schedule}: neither executed nor skipped"


def _doubled_slots(history: History) -> Iterator[str]:
    seen: set[Slot] = set()
    for row in history.executions:
        if row.schedule is None or row.slot is None:
            continue
        if (row.schedule, row.slot) in seen:
            yield f"slot {row.slot:%H:%M:%S} of {row.schedule}: executed twice"
        seen.add((row.schedule, row.slot))


def _doubled_starts(plan: Plan, stories: defaultdict[str, _Story]) -> Iterator[str]:
    for one in sorted(plan.at_most_once):
        if len(stories[one].starts) > 1:
            yield f"{one}: may start once, and started {len(stories[one].starts)} times"


def _unexplained(story: _Story) -> Iterator[str]:
    """Every start needs a claim, and each attempt that began before it must have ended."""
    for position, start in enumerate(story.starts):
        faults = (_why_not(story, earlier, start) for earlier in story.starts[:position])
        why = next(filter(None, faults), "")
        if start.attempt not in story.attempts:
            why = " though nobody claimed it"
        if why:
            yield f"{story.id}: attempt {start.attempt} started at {start.at:%H:%M:%S.%f}{why}"


def _why_not(story: _Story, earlier: Start, start: Start) -> str:
    """Say why ``start`` must not follow ``earlier``; nothing if it may."""
    before = story.attempts.get(earlier.attempt)
    if start.attempt == earlier.attempt:
        return " for the second time"
    if start.attempt < earlier.attempt:
        return f" after attempt {earlier.attempt}"
    if before is None or before.finished_at is None:
        return f" while attempt {earlier.attempt} had not ended"
    if before.finished_at > start.at + TOLERANCE:
        return f" before attempt {earlier.attempt} ended at {before.finished_at:%H:%M:%S.%f}"
    if before.outcome not in MAY_START_AGAIN:
        return f" though attempt {earlier.attempt} had {before.outcome}"
    return ""


def _late_writes(story: _Story) -> Iterator[str]:
    for number, attempt in sorted(story.attempts.items()):
        after = story.attempts.get(number + 1)
        if after and (
            attempt.finished_at is None or attempt.finished_at > after.started_at + TOLERANCE
        ):
            yield f"{story.id}: attempt {number} was ended after attempt {number + 1} had begun"
    done = [one.number for one in story.attempts.values() if one.outcome == "succeeded"]
    if len(done) > 1:
        yield f"{story.id}: attempts {done} have all succeeded"
    row = story.row
    if row is None or not story.attempts:
        return
    newest = story.attempts[max(story.attempts)]
    if (row.status == "succeeded") != (newest.outcome == "succeeded"):
        yield f"{story.id}: is {row.status}, and its newest attempt {newest.outcome or 'runs'}"
    elif row.wrote is not None and row.wrote != newest.number and row.status == "succeeded":
        yield f"{story.id}: its result is of attempt {row.wrote}, not of {newest.number}"


def _stuck(story: _Story) -> Iterator[str]:
    row = story.row
    if row is None:
        return
    if row.status not in FINISHED:
        yield f"{story.id}: left {row.status}"
        return
    for attempt in story.attempts.values():
        if attempt.finished_at is None:
            yield f"{story.id}: finished, and its attempt {attempt.number} was left open"


def _recoveries(stories: Iterable[_Story], faults: Sequence[Fault]) -> Iterator[float]:
    for story in stories:
        for attempt in story.attempts.values():
            hit = _what_took(attempt, faults)
            again = [start.at for start in story.starts if start.attempt > attempt.number]
            if hit and again:
                yield (min(again) - hit.began_at).total_seconds()


def _what_took(attempt: AttemptRow, faults: Sequence[Fault]) -> Fault | None:
    """The first fault while the attempt was open, if somebody else ended it after that."""
    if attempt.outcome not in {"lost", "handed_back"} or attempt.finished_at is None:
        return None
    during = (one for one in faults if attempt.started_at <= one.began_at <= attempt.finished_at)
    return min(during, key=lambda one: one.began_at, default=None)


def _p99(seconds: Iterable[float]) -> float | None:
    ordered = sorted(seconds)
    return ordered[math.ceil(0.99 * len(ordered)) - 1] if ordered else None


def _first_progress(history: History, faults: Sequence[Fault]) -> float | None:
    starts = sorted(start.at for start in history.starts)
    after = [(fault, bisect_left(starts, fault.healed_at)) for fault in faults]
    waits = [starts[found] - fault.healed_at for fault, found in after if found < len(starts)]
    return max(waits).total_seconds() if waits else None

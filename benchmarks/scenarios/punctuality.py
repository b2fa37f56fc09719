"""S3: many jobs due on one instant, then one job that recurs each second."""

from __future__ import annotations

import itertools
import math
import statistics
import time
from typing import TYPE_CHECKING, NamedTuple

from benchmarks.client import ClientError
from benchmarks.figures import milliseconds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.records import Record
    from benchmarks.stand import Stand

TICK = -7  # the number of the job that recurs
LATE_SECONDS = 60.0
SLOWEST_START = 90.0
LEAD = 3  # ticks before those that count


class Sizes(NamedTuple):
    """``burst`` jobs that are due ``ahead`` seconds after their submission, and ``ticks``."""

    burst: int
    ahead: int
    ticks: int


def measure(stand: Stand, sizes: Sizes) -> dict[str, float]:
    stand.staff()
    meter = stand.meter()
    return _burst(stand, sizes) | _ticks(stand, sizes.ticks) | meter.noise()


def _burst(stand: Stand, sizes: Sizes) -> dict[str, float]:
    done = stand.records.count()
    due = math.ceil(time.time()) + sizes.ahead
    sent = stand.client.call("at", sizes.burst, due)
    stand.watch.until_finished(done + sizes.burst, due - time.time() + LATE_SECONDS)
    late = [one.started - due for one in stand.records.read(done)]
    told = {f"burst.{name}": value for name, value in milliseconds(late).items()}
    if late:
        told["burst.first"] = min(late) * 1000
    if sent.ended > due:
        raise ClientError("the submission lasted past the instant that the jobs were due on")
    return told


def _ticks(stand: Stand, count: int) -> dict[str, float]:
    """Let the job recur each second; leave out the first ticks. Nothing if it cannot."""
    if stand.contender.ticker:
        stand.beats.append(stand.start(stand.contender.ticker, "ticker"))
    elif stand.contender.ticks:
        stand.client.call("tick", 1)
    else:
        return {}

    def enough(found: list[Record]) -> bool:
        return sum(one.number == TICK for one in found) >= count + LEAD

    stand.watch.until(enough, SLOWEST_START + count, every=0.5)
    ticks = [one for one in stand.records.read() if one.number == TICK][LEAD:]
    return rhythm([one.started for one in ticks], [one.submitted for one in ticks])


def rhythm(starts: Sequence[float], slots: Sequence[float]) -> dict[str, float]:
    """Judge the starts of a job that recurs each second.

    ``gap`` is how far gaps are from a second, ``drift`` how much later each tick is than the one
    before, in ms, ``phase`` how far the starts are from whole seconds of the first one's phase.
    ``late`` counts from the slot where the platform names it; ``slots`` are 0.0 otherwise.
    """
    if len(starts) < LEAD:
        return {"ticks": len(starts)}
    gaps = [after - before for before, after in itertools.pairwise(starts)]
    told = {
        f"gap.{name}": value for name, value in milliseconds([abs(g - 1) for g in gaps]).items()
    }
    if all(slots):
        late = [start - slot for start, slot in zip(starts, slots, strict=True)]
        told |= {f"late.{name}": value for name, value in milliseconds(late).items()}
    drift = (starts[-1] - starts[0] - round(starts[-1] - starts[0])) / (len(starts) - 1)
    missed = round(starts[-1] - starts[0]) + 1 - len(starts)
    phase = statistics.median(start % 1 for start in starts)
    more = {"drift": drift * 1000, "missed": missed, "phase": phase * 1000, "ticks": len(starts)}
    return told | more

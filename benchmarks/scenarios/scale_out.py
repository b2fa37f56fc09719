"""S7: the same jobs on more worker processes and beats: how much of the ideal is reached."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from benchmarks.scenarios.throughput import MOST_SECONDS, per_thousand
from benchmarks.stand import StandError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.records import Record
    from benchmarks.stand import Stand


class Sizes(NamedTuple):
    """So many ``workers`` of ``slots`` each; jobs wait for something so many milliseconds."""

    workers: int
    slots: int
    beats: int
    backlog: int
    milliseconds: int


def measure(stand: Stand, sizes: Sizes) -> dict[str, float]:
    """Drain a backlog; the ideal is that every slot always has a job."""
    stand.staff(workers=sizes.workers, slots=sizes.slots, beats=sizes.beats)
    skip, meter = stand.watch.finished(), stand.meter()
    stand.freeze()
    stand.client.call(stand.contender.backlog, sizes.backlog, 0, sizes.milliseconds)
    stand.thaw()

    def is_done(records: Sequence[Record]) -> bool:
        return sum(one.ended > 0 for one in records[skip:]) >= sizes.backlog

    if not stand.watch.until(is_done, MOST_SECONDS):
        raise StandError(f"not done within {MOST_SECONDS:g} s")
    spent, records = meter.spent(), stand.records.read(skip)
    seconds = max(one.ended for one in records) - min(one.started for one in records)
    ideal = sizes.workers * sizes.slots * 1000 / sizes.milliseconds
    rate = sizes.backlog / seconds
    told = {"drain_per_s": rate, "ideal_per_s": ideal, "efficiency_pct": 100 * rate / ideal}
    return told | per_thousand(spent, sizes.backlog) | meter.noise()

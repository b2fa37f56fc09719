"""S6: one of two workers is killed in the middle of its work and starts again a second later."""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from benchmarks.accounting import family, processes

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from benchmarks.records import Record
    from benchmarks.stand import Stand

NODES = 2  # each runs one job at a time, unless two of more slots are the layout anyway
JOB_MILLISECONDS = 50
BUSY_SECONDS = 5.0  # to wait until the victim runs a job: a kill that meets none says nothing
AWAY_SECONDS = 1.0
TRICKLE = -60  # other work goes on: some platforms look for orphans only when a job arrives
SETTLE_SECONDS = 1.0


class Sizes(NamedTuple):
    """``jobs`` jobs of 50 ms; it is waited ``patience`` seconds beyond the ideal end."""

    jobs: int
    patience: float


class Kill(NamedTuple):
    """When it was, whom it met, and the records by then."""

    at: float
    pids: frozenset[int]
    seen: list[Record]


def measure(stand: Stand, sizes: Sizes) -> dict[str, float]:
    """What became of the jobs; every figure but the times should be 0."""
    own = stand.contender.workers, stand.contender.slots
    workers, slots = own if own[0] == NODES else (NODES, 1)
    stand.staff(workers=workers, slots=slots)
    skip = stand.records.count()
    stand.client.call(stand.contender.backlog, sizes.jobs, 0, JOB_MILLISECONDS)
    stand.watch.until(lambda found: len(ended(found[skip:])) >= sizes.jobs // 2, 300, every=0.02)
    kill = _kill(stand, skip)
    time.sleep(AWAY_SECONDS)
    stand.add_worker("again", slots=slots)
    left = sizes.jobs - len(ended(kill.seen))
    ideal = left * JOB_MILLISECONDS / 1000 / (workers * slots)
    _wait(stand, skip, sizes.jobs, seconds=ideal + sizes.patience)
    found = [one for one in stand.records.read(skip) if one.number >= 0]
    told = verdict(found, kill, sizes.jobs) | {"ideal_s": ideal}
    if stand.contender.left_running:
        told["rows_left"] = float(stand.database.ask(stand.contender.left_running)[0])
    if stand.contender.attempts:
        told["unexplained"] = unexplained(
            found, dict(stand.database.rows(stand.contender.attempts))
        )
    return told


def ended(records: Iterable[Record]) -> set[int]:
    return {one.number for one in records if one.number >= 0 and one.ended}


def verdict(records: Sequence[Record], kill: Kill, count: int) -> dict[str, float]:
    """Judge the records of ``count`` jobs that leave one at their start and one at their end."""
    ends = Counter(one.number for one in records if one.ended)
    begins = Counter(one.number for one in records if not one.ended)
    done = ended(kill.seen)
    cut = {one.number for one in kill.seen if one.number not in done and one.pid in kill.pids}
    again = [
        min(late)
        for index in cut
        if (late := [one.started - kill.at for one in records if _is_new(one, index, kill.at)])
    ]
    told = {
        "cut": len(cut),
        "lost": count - len(ends),
        "ended_twice": sum(times > 1 for times in ends.values()),
        "begun_twice": sum(times > 1 for times in begins.values()),
        "done_s": max(one.ended for one in records) - kill.at,
    }
    return told | ({"again_s": max(again)} if again else {})


def unexplained(records: Iterable[Record], attempts: Mapping[int, int]) -> int:
    """Count the starts on file beyond those that SQL knows, by the numbers of the jobs."""
    begins = Counter(one.number for one in records if not one.ended)
    return sum(max(0, times - attempts.get(index, 0)) for index, times in begins.items())


def _is_new(one: Record, index: int, since: float) -> bool:
    return one.number == index and not one.ended and one.started > since


def _kill(stand: Stand, skip: int) -> Kill:
    """End the first worker and all its children at once, as a host that loses power does."""
    victim = stand.workers[0].running.pid

    def busy(found: Sequence[Record]) -> bool:
        done = ended(found[skip:])
        mine = family(processes(), [victim])
        return any(one.pid in mine and one.number not in done for one in found[skip:])

    stand.watch.until(busy, BUSY_SECONDS, every=0.005)
    pids = frozenset(family(processes(), [victim]))
    at = time.time()
    for pid in [victim, *pids]:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
    time.sleep(0.05)  # what the dead had written is in the file
    return Kill(at, pids, [one for one in stand.records.read(skip) if one.number >= 0])


def _wait(stand: Stand, skip: int, count: int, *, seconds: float) -> None:
    """Wait until all are done, while one job a second goes on."""
    deadline = time.monotonic() + seconds

    def all_done(found: Sequence[Record]) -> bool:
        return len(ended(found[skip:])) >= count

    while time.monotonic() < deadline and not stand.watch.until(all_done, 1.0, every=0.2):
        stand.client.call("burst", 1, TRICKLE)
    time.sleep(SETTLE_SECONDS)

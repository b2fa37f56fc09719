"""S4: many schedules of which fifty are due each second; then one is added."""

from __future__ import annotations

import itertools
import math
import time
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from benchmarks import accounting
from benchmarks.client import ClientError
from benchmarks.figures import milliseconds

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from benchmarks.records import Record
    from benchmarks.stand import Stand
    from embedded.child import Child

RATE = 50  # slots a second
SHORTEST = 20  # seconds between two slots of one schedule
LEAD_SECONDS = 1.0
START_SECONDS = 240.0
FOUND_SECONDS = 60.0
TAIL_SECONDS = 1.0  # slots of the last second may still be on their way
ONE = -50  # the number of the schedule that is added
NEVER = 86_400  # seconds


class Sizes(NamedTuple):
    """``schedules`` schedules are watched for ``window`` seconds, ``settle`` after the first start.

    ``fill_per_s`` is about how fast the contender stores them, so that none is long overdue.
    """

    schedules: int
    settle: float
    window: float
    fill_per_s: float


class Grid(NamedTuple):
    """When schedule ``n`` is due: at ``first + n / RATE``, then every ``every`` seconds."""

    first: float
    every: int

    def slot(self, index: int, turn: int) -> float:
        return self.first + index / RATE + turn * self.every


def measure(stand: Stand, sizes: Sizes) -> dict[str, float]:
    """Fill, start the scheduler at the first slot, watch, add one schedule, watch."""
    told, grid = _fill(stand, sizes)
    skip = stand.records.count()
    time.sleep(max(0.0, grid.first - time.time()))
    began = time.time()
    schedulers = _start(stand)
    if not stand.watch.until_finished(skip + 1, START_SECONDS):
        raise ClientError(f"nothing was started within {START_SECONDS:g} s")
    told["first_s"] = stand.records.read(skip)[0].started - began
    time.sleep(sizes.settle)
    pids = [child.running.pid for child in schedulers]
    opened, spent, meter = time.time(), accounting.cpu(pids), stand.meter()
    time.sleep(sizes.window)
    closed = time.time()
    told["cpu_pct"] = 100 * (accounting.cpu(pids) - spent) / (closed - opened)
    others = {f"cpu.{name}_pct": 100 * cpu / sizes.window for name, cpu in meter.spent().items()}
    told |= others | meter.noise() | _add(stand, skip)
    memory = accounting.memory(pids)
    told |= {"rss_mb": memory.rss, "pss_mb": memory.pss}
    return told | _late(stand.records.read(skip), grid, (opened, closed))


def _fill(stand: Stand, sizes: Sizes) -> tuple[dict[str, float], Grid]:
    """Store the schedules while nothing fires them."""
    if not _is_own_worker(stand):
        stand.staff()
        stand.end(stand.beats)
        stand.beats.clear()
    else:
        stand.admit_client({"BENCH_ASLEEP": "1"})  # it stores, and another process fires
    filling = sizes.schedules / sizes.fill_per_s
    every = max(SHORTEST, sizes.schedules // RATE)
    grid = Grid(math.ceil(time.time() + filling + LEAD_SECONDS), every)
    sent = stand.client.call("fill", sizes.schedules, grid.every, grid.first, RATE)
    broker = stand.servers.redis.info("memory")["used_memory"] / accounting.MIB
    per_s = sizes.schedules / sent.seconds
    return {"fill_s": sent.seconds, "fill_per_s": per_s, "broker_mb": broker}, grid


def _is_own_worker(stand: Stand) -> bool:
    """Whether the processes that fire the schedules also run the jobs."""
    worker = stand.contender.worker
    return worker is None or worker == stand.contender.scaler


def _start(stand: Stand) -> list[Child]:
    assert stand.contender.scaler is not None  # noqa: S101  asked for those that have one
    if stand.contender.scaler == stand.contender.worker:
        return [stand.add_worker(node) for node in range(stand.contender.workers)]
    scheduler = stand.start(stand.contender.scaler, "scheduler")
    stand.beats.append(scheduler)
    return [scheduler]


def _add(stand: Stand, skip: int) -> dict[str, float]:
    """Add a schedule that is due a second later; nobody should notice."""
    due = math.ceil(time.time()) + 1
    sent = stand.client.call("add", ONE, due, NEVER)

    def found(records: Sequence[Record]) -> bool:
        return any(one.number == ONE for one in records)

    known = stand.watch.until(found, FOUND_SECONDS)
    time.sleep(3.0)  # what a stall kept back comes now
    records = stand.records.read(skip)
    starts = sorted(one.started for one in records if one.started >= sent.began - 1)
    told = {"add_ms": sent.seconds * 1000, "stall_s": longest_gap([*starts, time.time()])}
    if known:
        told["added_late_s"] = next(one.started for one in records if one.number == ONE) - due
    return told


def longest_gap(instants: Iterable[float]) -> float:
    """Return the longest time in which nothing happened; 0.0 for fewer than two instants."""
    return max((after - before for before, after in itertools.pairwise(instants)), default=0.0)


def _late(records: Sequence[Record], grid: Grid, window: tuple[float, float]) -> dict[str, float]:
    """How late what was due in ``window`` started; what had not started by now is missing."""
    opened, closed = window
    started = sum(opened <= one.started < closed for one in records)
    late = lateness(records, grid, (opened, closed - TAIL_SECONDS))
    told = {f"late.{name}": value for name, value in milliseconds(late).items()}
    due = RATE * (closed - TAIL_SECONDS - opened)
    return told | {"started_per_s": started / (closed - opened), "late.due": due}


def lateness(records: Sequence[Record], grid: Grid, window: tuple[float, float]) -> list[float]:
    """Return how many seconds after its slot each start came whose slot is in ``window``.

    The slot is what the record names; else the turns of each schedule are counted.
    """
    turns: Counter[int] = Counter()
    late = []
    for one in sorted(records, key=lambda record: record.started):
        if one.number < 0:
            continue
        due = one.submitted or grid.slot(one.number, turns[one.number])
        turns[one.number] += 1
        if window[0] <= due < window[1]:
            late.append(one.started - due)
    return late

"""S1: jobs that do nothing, as many as possible; what each costs, and when SQL knows of it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

from benchmarks import accounting

if TYPE_CHECKING:
    from benchmarks.client import Answer
    from benchmarks.stand import Stand

SAMPLE_SECONDS = 0.5
MOST_SECONDS = 120.0
POLL_SECONDS = 0.05


class Sizes(NamedTuple):
    """``backlog`` jobs are drained, ``live`` are submitted one by one to working workers."""

    backlog: int
    live: int


def measure(stand: Stand, sizes: Sizes) -> dict[str, float]:
    """A backlog that is drained, then submission and work at the same time."""
    stand.staff()
    return drain(stand, sizes.backlog) | live(stand, sizes.live)


def drain(stand: Stand, count: int) -> dict[str, float]:
    """Let ``count`` jobs be submitted to stopped workers, then let those go."""
    done, settled, meter = stand.watch.finished(), stand.watch.settled(), stand.meter()
    stand.freeze()
    sent = stand.client.call(stand.contender.backlog, count)
    stand.thaw()
    thawed = time.time()
    peak = _wait(stand, done + count)
    recorded = _wait_for_rows(stand, settled + count)
    spent, noise = meter.spent(), meter.noise()
    first, last = stand.watch.span(thawed, done)
    finished = stand.watch.finished() - done
    told = {
        "done": finished,
        "enqueue_per_s": count / sent.seconds,
        "drain_per_s": (finished - 1) / (last - first),
        "rss_mb": peak.rss,
        "pss_mb": peak.pss,
    }
    if stand.contender.settled:
        told["settled_per_s"] = count / (max(recorded, last) - first)
    return told | per_thousand(spent, count) | noise


def live(stand: Stand, count: int) -> dict[str, float]:
    """Submit ``count`` jobs, one call each, while the workers work; Chronos also in bulk."""
    told = {}
    sent, last = _submitted(stand, "burst", count)
    told["enqueue_one_per_s"] = count / sent.seconds
    told["live_per_s"] = count / (last - sent.began)
    if stand.contender.backlog != "burst":
        sent, last = _submitted(stand, stand.contender.backlog, count)
        told["live_bulk_per_s"] = count / (last - sent.began)
    return told


def _submitted(stand: Stand, verb: str, count: int) -> tuple[Answer, float]:
    """Submit and wait; return the answer and the instant of the last end."""
    done = stand.watch.finished()
    sent = stand.client.call(verb, count)
    stand.watch.until_finished(done + count, MOST_SECONDS)
    return sent, stand.watch.span(sent.began, done)[1]


def _wait(stand: Stand, count: int) -> accounting.Memory:
    """Wait for the ends; return the most memory that workers and beats held meanwhile."""
    deadline, peak = time.monotonic() + MOST_SECONDS, accounting.Memory(0, 0)
    while True:
        now = accounting.memory([*stand.worker_pids(), *stand.beat_pids()])
        peak = accounting.Memory(max(peak.rss, now.rss), max(peak.pss, now.pss))
        if stand.watch.until_finished(count, SAMPLE_SECONDS) or time.monotonic() > deadline:
            return peak


def _wait_for_rows(stand: Stand, count: int) -> float:
    """Wait until SQL says that so many are done; return when that was."""
    deadline = time.monotonic() + MOST_SECONDS
    if stand.contender.settled:
        while stand.watch.settled() < count and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)
    return time.time()


def per_thousand(spent: dict[str, float], count: int) -> dict[str, float]:
    """CPU seconds for 1 000 jobs, by part; the sum is without the client."""
    told = {f"cpu.{name}": seconds / count * 1000 for name, seconds in spent.items()}
    return told | {"cpu.sum": sum(told.values()) - told["cpu.client"]}

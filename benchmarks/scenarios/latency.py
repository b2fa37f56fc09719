"""S2: one job at a time on an idle system, from before the submitting call to its first line."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

from benchmarks.figures import milliseconds

if TYPE_CHECKING:
    from benchmarks.stand import Stand

GAP_SECONDS = 0.05
LATE_SECONDS = 15.0


class Sizes(NamedTuple):
    """So many jobs, after so many seconds in which nothing happens."""

    jobs: int
    idle: float


def measure(stand: Stand, sizes: Sizes) -> dict[str, float]:
    stand.staff()
    meter, began = stand.meter(), time.monotonic()
    time.sleep(sizes.idle)
    idle = sum(meter.spent().values()) / (time.monotonic() - began)
    done = stand.records.count()
    stand.client.call("paced", sizes.jobs, GAP_SECONDS)
    stand.watch.until_finished(done + sizes.jobs, LATE_SECONDS)
    waits = [one.started - one.submitted for one in stand.records.read(done)]
    latency = {f"latency.{name}": value for name, value in milliseconds(waits).items()}
    return latency | {"idle_pct": 100 * idle} | meter.noise()

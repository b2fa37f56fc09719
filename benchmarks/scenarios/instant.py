"""S4: ten thousand schedules that are due on one and the same instant."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, NamedTuple

from psycopg import sql

from benchmarks.scenarios.scale import NEVER

if TYPE_CHECKING:
    from benchmarks.stand import Stand

LEAD_SECONDS = 3.0
MOST_SECONDS = 180.0
FIRED = sql.SQL(
    "SELECT extract(epoch FROM max(created_at))::float FROM executions_execution"
    " WHERE schedule_id IS NOT NULL"
)


class Sizes(NamedTuple):
    """So many schedules; ``fill_per_s`` is about how fast they are stored."""

    schedules: int
    fill_per_s: float


def measure(stand: Stand, sizes: Sizes) -> dict[str, float]:
    """When all of them are executions, when the first and the last one started."""
    stand.staff()
    due = math.ceil(time.time() + sizes.schedules / sizes.fill_per_s + LEAD_SECONDS)
    stand.client.call("fill", sizes.schedules, NEVER, due, 0)
    skip = stand.records.count()
    time.sleep(max(0.0, due - time.time()))
    meter = stand.meter()
    stand.watch.until_finished(skip + sizes.schedules, MOST_SECONDS)
    spent = meter.spent()
    starts = sorted(one.started for one in stand.records.read(skip))
    return {
        "done": len(starts),
        "fired_s": stand.database.ask(FIRED)[0] - due,
        "first_ms": (starts[0] - due) * 1000,
        "last_s": starts[-1] - due,
        "started_per_s": (len(starts) - 1) / (starts[-1] - starts[0]),
        "cpu.beat": spent["beat"] / sizes.schedules * 1000,
        "cpu.database": spent["database"] / sizes.schedules * 1000,
    } | meter.noise()

"""S5: statistics and lists over a long history, and the throughput beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from benchmarks.accounting import MIB
from benchmarks.figures import milliseconds
from benchmarks.scenarios import throughput
from benchmarks.web import Web

if TYPE_CHECKING:
    from benchmarks.stand import Stand

MILLION = 1_000_000
LONG_SECONDS = 3600.0
STATISTICS = "stats"


class Sizes(NamedTuple):
    """So many ``executions`` with all that belongs to them; ``seconds`` for each page."""

    executions: int
    seconds: float
    backlog: int


def measure(stand: Stand, sizes: Sizes) -> dict[str, float]:
    stand.staff()
    filled = stand.client.call("history", sizes.executions, seconds=LONG_SECONDS)
    told: dict[str, float] = {
        "rows": sizes.executions,
        "fill_per_s": sizes.executions / filled.seconds,
        "mb_per_million": filled.result / MIB / sizes.executions * MILLION,
    }
    told |= _read(stand, sizes.seconds)
    return told | throughput.drain(stand, sizes.backlog)


def _read(stand: Stand, seconds: float) -> dict[str, float]:
    """Read each page over and over on one connection; the slowest list counts for all lists."""
    web = Web(stand)
    told: dict[str, float] = {}
    lists = []
    for name, request in stand.client.call("pages").result.items():
        web.load(request, seconds=seconds / 4, connections=1)
        took, _ = web.load(request, seconds=seconds, connections=1)
        found = milliseconds(took)
        told |= {f"{name}.{figure}": found[figure] for figure in ("p50", "p95")}
        if name != STATISTICS:
            lists.append(found)
    return told | {f"lists.{name}": max(found[name] for found in lists) for name in ("p50", "p95")}

"""API: how fast a web process starts jobs, beside a bare insert behind the same server."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from benchmarks import accounting
from benchmarks.figures import milliseconds
from benchmarks.web import Web, WebError

if TYPE_CHECKING:
    from benchmarks.stand import Stand

WARM_UP = 1.0  # seconds
BULK = 1000  # executions a request


class Sizes(NamedTuple):
    seconds: float
    connections: int


def measure(stand: Stand, sizes: Sizes) -> dict[str, float]:
    """The web process alone: what it starts waits for the workers that are not there."""
    stand.admit_client()
    web = Web(stand)
    requests = stand.client.call("requests").result
    web.load(requests["one"], seconds=WARM_UP, connections=sizes.connections)
    meter, before = stand.meter(), accounting.cpu([web.pid])
    took, seconds = web.load(requests["one"], seconds=sizes.seconds, connections=sizes.connections)
    spent = meter.spent()
    told = milliseconds(took) | {
        "per_s": len(took) / seconds,
        "cpu.web": (accounting.cpu([web.pid]) - before) / len(took) * 1000,
        "cpu.database": spent["database"] / len(took) * 1000,
    }
    if "many" in requests:
        told |= _bulk(web, requests["many"], sizes)
    return told | meter.noise()


def _bulk(web: Web, request: dict[str, object], sizes: Sizes) -> dict[str, float]:
    """Many executions a request, on two connections; nothing where that is not there."""
    try:
        took, seconds = web.load(request, seconds=sizes.seconds, connections=2)
    except WebError as exc:
        print(f"no bulk: {exc}")
        return {}
    return {"bulk_per_s": len(took) * BULK / seconds, "bulk_p50": milliseconds(took)["p50"]}

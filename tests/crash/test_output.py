"""A job that never stops talking costs neither memory nor disk."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psutil
import pytest

from executions.models import LogChunk, Status
from tests.waiting import eventually

if TYPE_CHECKING:
    from tests.crash.ground import Ground
    from tests.stack import Part

pytestmark = pytest.mark.crash

MEGABYTES = 1024
GROWTH = 64 * 2**20  # bytes, P16
STORED = 2**20 + 1000  # bytes: head and tail, and what says that something is missing


def test_a_gigabyte_of_output_stays_small(ground: Ground) -> None:
    ground.staff(beats=1, compute=1, slots=1)
    worker = ground.compute[0]
    with ground.trial("1 GB of output") as trial:
        trial.compute(1)  # so that the pool child has loaded what every job needs
        eventually(trial.executions.filter(status=Status.SUCCEEDED).exists, within=20)
        before = _rss(worker)
        highest = before

        with trial.fault():
            ids = trial.compute(1, function="crash.shout", megabytes=MEGABYTES)
            done = trial.executions.filter(pk__in=ids, finished_at__isnull=False)

            def is_done() -> bool:
                nonlocal highest
                highest = max(highest, _rss(worker))
                return done.exists()

            eventually(is_done, within=120)
        trial.bites(f"{MEGABYTES} MiB printed", done.filter(status=Status.SUCCEEDED).exists)
        verdict = trial.verdict()

    chunks = LogChunk.objects.filter(execution__in=ids).order_by("pk")
    text = "".join(chunk.text for chunk in chunks)
    assert verdict.holds, verdict.violations
    assert highest - before <= GROWTH
    assert len(text.encode()) <= STORED
    assert "first words" in text
    assert "last words" in text
    assert sum(chunk.omitted for chunk in chunks) >= MEGABYTES * 2**20 - STORED
    assert "bytes left out" in text


def _rss(worker: Part) -> int:
    """Resident bytes of the main process and all its descendants."""
    total = 0
    for one in [psutil.Process(worker.pid), *worker.children()]:
        try:
            total += one.memory_info().rss
        except psutil.NoSuchProcess:
            continue
    return total

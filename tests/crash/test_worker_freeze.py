"""A worker that was frozen past its lease: its own jobs stop at once, and change nothing."""

from __future__ import annotations

import signal
import time
from typing import TYPE_CHECKING, Any

import pytest

from executions import clock, scheduler
from executions.models import Execution
from tests.crash import work
from tests.crash.app import record
from tests.crash.ground import LEASE_SECONDS, Ground
from tests.factories import JobFactory
from tests.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.stack import Part

pytestmark = pytest.mark.crash

THAW_SECONDS = 1.0  # P5: what a job may still do after the thaw


@pytest.fixture(scope="module")
def ground(transactional_db: None) -> Iterator[Ground]:
    with Ground(work.APPS) as ground:
        ground.staff(io=0, compute=2, slots=1)
        yield ground


def ticking(ground: Ground) -> tuple[Execution, Part]:
    """An execution that leaves a mark all the time, and the worker that runs it."""
    payload = {"function": "crash.tick", "args": [20], "kwargs": {}}
    job = JobFactory.create(team=ground.team, kind="python", version__payload=payload)
    execution = scheduler.run_now(job, now=clock.read(), actor="test")
    eventually(lambda: ticks(ground, execution, 1), within=20, what="it ticks")
    execution.refresh_from_db()
    return execution, ground.holder(execution.worker)


def ticks(ground: Ground, execution: Execution, attempt: int) -> list[float]:
    """When attempt ``attempt`` has left its marks."""

    def mine(line: dict[str, Any]) -> bool:
        names = (line["what"], line.get("execution"), line.get("attempt"))
        return names == ("tick", str(execution.pk), attempt)

    return [line["at"] for line in record.lines(ground.record) if mine(line)]


def test_a_frozen_worker_stops_its_job_when_it_thaws(ground: Ground) -> None:
    execution, worker = ticking(ground)

    worker.freeze()
    eventually(lambda: ticks(ground, execution, 2), within=6 * LEASE_SECONDS)
    thawed = time.time()
    worker.thaw()
    time.sleep(THAW_SECONDS + 1)

    assert not [at for at in ticks(ground, execution, 1) if at > thawed + THAW_SECONDS]
    first = execution.attempts.get(number=1)
    assert (first.outcome, first.reason) == ("lost", "worker_lost")
    work.cancel(execution)


def test_a_child_stops_its_job_before_the_lease_ends_that_nobody_renews(ground: Ground) -> None:
    execution, worker = ticking(ground)

    worker.send(signal.SIGSTOP)  # the main process only: it is the one that renews
    try:
        eventually(lambda: ticks(ground, execution, 2), within=6 * LEASE_SECONDS)
    finally:
        worker.send(signal.SIGCONT)

    assert max(ticks(ground, execution, 1)) < min(ticks(ground, execution, 2))
    first = execution.attempts.get(number=1)
    assert (first.outcome, first.reason) == ("handed_back", "lease_not_kept")
    work.cancel(execution)

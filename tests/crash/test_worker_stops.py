"""A worker that is told to stop: claims nothing more, waits its grace, hands back the rest."""

from __future__ import annotations

import signal
import time
from typing import TYPE_CHECKING

import pytest

from executions import clock, scheduler
from executions.models import Attempt, Execution, Status
from tests.crash import work
from tests.crash.ground import Ground
from tests.factories import JobFactory
from tests.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.crash

GRACE = 3
FORCE = 5  # seconds that a job has to stop in, before it is forced
SLACK = 15  # for Celery to end once nothing runs any more, on a shared machine


@pytest.fixture(scope="module")
def ground(transactional_db: None) -> Iterator[Ground]:
    env = {"CHRONOS_LEASE_SECONDS": "30", "CHRONOS_SHUTDOWN_GRACE_SECONDS": str(GRACE)}
    with Ground(work.APPS | env) as ground:
        ground.staff(beats=1, io=0)
        yield ground


def test_sigterm_lets_work_end_and_hands_back_what_does_not(ground: Ground) -> None:
    ground.staff(compute=1, io=0, slots=4)
    worker = ground.compute[0]
    short = work.start(ground, "work", seconds=2)
    long, once = (work.start(ground, "work", version=on_lost) for on_lost in ({}, FAIL))
    deaf = work.start(ground, "swallow")
    for one in (short, long, once, deaf):
        work.begun(ground, one)

    worker.send(signal.SIGTERM)
    time.sleep(1)  # the promise is: nothing is claimed from now on
    late = [work.start(ground, "work", seconds=0) for _ in range(3)]
    assert worker.process.wait(timeout=GRACE + FORCE + SLACK) == 0

    assert work.ended(short, within=0).status == Status.SUCCEEDED
    once.refresh_from_db()
    assert (once.status, once.reason) == (Status.FAILED, "worker_stopped")
    for one in (long, deaf):
        attempt = one.attempts.get()
        assert (attempt.outcome, attempt.reason) == (Attempt.Outcome.HANDED_BACK, "worker_stopped")
        one.refresh_from_db()
        assert (one.failures, one.losses) == (0, 0)
        assert one.status == Status.QUEUED  # again, at once
    assert not Attempt.objects.filter(execution__in=late).exists()

    ground.staff(compute=1, io=0, slots=4)
    work.begun(ground, long, attempt=2)
    for one in late:
        assert work.ended(one, within=20).attempt == 1
    for one in (long, deaf):
        work.cancel(one)


FAIL = {"on_lost": "fail"}


@pytest.mark.parametrize(
    "signals", [[signal.SIGQUIT], [signal.SIGTERM] * 2, [signal.SIGINT] * 2], ids=str
)
def test_a_second_signal_or_sigquit_hands_back_at_once(
    ground: Ground, signals: list[signal.Signals]
) -> None:
    ground.staff(compute=1, io=0, slots=4)
    worker = ground.compute[0]
    long = work.start(ground, "work")
    work.begun(ground, long)

    for signum in signals:
        worker.send(signum)
        time.sleep(0.2)
    asked = time.monotonic()
    attempt = work.attempt_ended(long, within=GRACE - 1)

    assert time.monotonic() - asked < GRACE - 1
    assert attempt.outcome == Attempt.Outcome.HANDED_BACK
    assert worker.process.wait(timeout=SLACK) == 0
    work.cancel(long)


def test_sigterm_aborts_the_calls_of_an_io_worker_after_its_grace(ground: Ground) -> None:
    ground.staff(io=1, slots=4)
    worker = ground.io[0]
    ground.target.gate.clear()
    job = JobFactory.create(
        team=ground.team, kind="http", version__payload={"url": f"{ground.target.url}/gated"}
    )
    call = scheduler.run_now(job, now=clock.read(), actor="test")
    eventually(lambda: ground.target.hits, within=20)

    worker.send(signal.SIGTERM)
    attempt = work.attempt_ended(call, within=GRACE + 2)
    assert worker.process.wait(timeout=SLACK) == 0
    ground.target.gate.set()

    assert (attempt.outcome, attempt.reason) == (Attempt.Outcome.HANDED_BACK, "worker_stopped")
    ground.staff(io=1)
    assert work.ended(call, within=20).attempt == 2
    assert Execution.objects.get(pk=call.pk).failures == 0

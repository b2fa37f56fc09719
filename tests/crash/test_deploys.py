"""Deploys: what is asked to stop stops soon, and gives back what it cannot finish."""

from __future__ import annotations

import signal
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from executions import clock
from tests.crash.ground import Ground

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.crash.trial import Trial

pytestmark = pytest.mark.crash

GRACE_SECONDS = 2
STOP_SECONDS = GRACE_SECONDS + 8  # with handing back and the end of the process
CLAIMS_END = timedelta(seconds=1)  # P14


@pytest.fixture(scope="module")
def ground(transactional_db: None) -> Iterator[Ground]:
    with Ground({"CHRONOS_SHUTDOWN_GRACE_SECONDS": str(GRACE_SECONDS)}) as ground:
        yield ground


def test_an_io_worker_hands_back_what_outlasts_the_grace(ground: Ground) -> None:
    ground.staff(beats=1, io=2)
    with ground.trial("SIGTERM of an io worker under load") as trial:
        ground.target.gate.clear()
        held = trial.http(4, path="/gated")
        trial.http(trial.size, path="/work?seconds=0.1", over=5)
        trial.await_starts(len(held))
        victim = ground.holder(trial.executions.filter(pk__in=held, status="running")[0].worker)

        with trial.fault():
            asked_at = clock.read()
            victim.terminate(within=STOP_SECONDS)
        ground.target.gate.set()
        trial.bites("attempts handed back", trial.ended("handed_back"))
        verdict = trial.verdict()

    assert verdict.holds, verdict.violations
    _nothing_is_counted(trial)
    late = trial.attempts.filter(worker=victim.name, started_at__gt=asked_at + CLAIMS_END)
    assert not late.exists()


def test_a_compute_worker_hands_back_what_outlasts_the_grace(ground: Ground) -> None:
    ground.staff(beats=1, compute=2)
    with ground.trial("SIGTERM of a compute worker under load") as trial:
        held = trial.compute(2, after=GRACE_SECONDS + 4.0)
        trial.compute(trial.size, over=5)
        trial.await_starts(len(held))
        victim = ground.holder(trial.executions.filter(pk__in=held, status="running")[0].worker)

        with trial.fault():
            asked_at = clock.read()
            victim.terminate(within=STOP_SECONDS)
        trial.bites("attempts handed back", trial.ended("handed_back"))
        verdict = trial.verdict()

    assert verdict.holds, verdict.violations
    _nothing_is_counted(trial)
    late = trial.attempts.filter(worker=victim.name, started_at__gt=asked_at + CLAIMS_END)
    assert not late.exists()


def test_three_rolling_restarts_under_load(ground: Ground) -> None:
    ground.staff(beats=1, io=1, compute=1)
    with ground.trial("three rolling restarts under load") as trial:
        trial.http(trial.size, path="/work?seconds=0.3", over=12)
        trial.compute(trial.size, after=0.3, over=12)
        trial.slots(number=12)
        trial.await_starts(2)

        old = []
        with trial.fault():
            for _ in range(3):
                old = [ground.beats[0], ground.io[0], ground.compute[0]]
                ground.staff(beats=2, io=2, compute=2)
                for part in old:
                    part.send(signal.SIGTERM)
                for part in old:
                    part.process.wait(timeout=STOP_SECONDS)
                ground.staff(beats=1, io=1, compute=1)
        trial.bites("9 processes replaced", lambda: not any(part.alive for part in old))
        verdict = trial.verdict()

    assert verdict.holds, verdict.violations
    _nothing_is_counted(trial)


def _nothing_is_counted(trial: Trial) -> None:
    outcomes = set(trial.attempts.values_list("outcome", flat=True))
    assert outcomes <= {"succeeded", "handed_back"}
    assert not trial.executions.exclude(failures=0, losses=0).exists()

"""Jobs that start processes: none of them outlives the time limit, or the worker."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import psutil
import pytest

from executions.models import Execution, Status
from jobs.policies import OnLost
from tests.crash.app import record
from tests.waiting import eventually

if TYPE_CHECKING:
    from uuid import UUID

    from tests.crash.ground import Ground
    from tests.crash.trial import Trial

pytestmark = pytest.mark.crash

LIMIT = {"timeout_seconds": 2, "max_attempts": 1}
GONE_SECONDS = 10  # after the limit, or after the worker
OFFENDERS = {
    "crash.ignore_term": ("a process that ignores SIGTERM", 1),
    "crash.double_fork": ("a process that left its session by a double fork", 1),
    "crash.bomb": ("a fork bomb", 31),
}


@pytest.mark.parametrize("function", OFFENDERS)
def test_all_are_dead_after_the_time_limit(ground: Ground, function: str) -> None:
    ground.staff(beats=1, compute=1)
    name, number = OFFENDERS[function]
    with ground.trial(f"time limit of {name}") as trial:
        with trial.fault():
            ids = trial.burst(trial.python_job(function, version=LIMIT), 1)
            trial.may_fail(ids)
            trial.bites("processes started", lambda: _at_least(number, _spawned(ground, ids)))
        trial.compute(trial.size)
        verdict = trial.verdict()
        _all_gone(trial, ground, ids)

    assert verdict.holds, verdict.violations
    execution = Execution.objects.get(pk=ids[0])
    assert (execution.status, execution.reason) == (Status.FAILED, "timeout")


@pytest.mark.parametrize("function", OFFENDERS)
def test_all_are_dead_after_the_worker(ground: Ground, function: str) -> None:
    ground.staff(beats=1, compute=1)
    name, number = OFFENDERS[function]
    with ground.trial(f"worker killed over {name}") as trial:
        job = trial.python_job(function, version={"on_lost": OnLost.FAIL})
        ids = trial.burst(job, 1)
        trial.bites("processes started", lambda: _at_least(number, _spawned(ground, ids)))
        victim = ground.compute[0]

        with trial.fault():
            os.kill(victim.pid, signal.SIGKILL)  # the main process only: nobody cleans up for it
            victim.process.wait()
            _all_gone(trial, ground, ids)
            ground.staff(beats=1, compute=1)
        trial.bites("attempts lost", trial.ended("lost"))
        trial.compute(trial.size)
        verdict = trial.verdict()

    assert verdict.holds, verdict.violations


def _at_least(number: int, found: set[int]) -> int:
    return len(found) if len(found) >= number else 0


def _spawned(ground: Ground, ids: list[UUID]) -> set[int]:
    """The processes that jobs of ``ids`` have started."""
    known = {str(one) for one in ids}
    lines = record.lines(ground.record)
    return {
        line["pid"] for line in lines if line["what"] == "spawned" and line["execution"] in known
    }


def _all_gone(trial: Trial, ground: Ground, ids: list[UUID]) -> None:
    """Wait until nothing of what was spawned lives; end it all the same if it does."""
    pids = _spawned(ground, ids)
    try:
        eventually(lambda: not _living(pids), within=GONE_SECONDS, what=f"{trial.name}: all gone")
    finally:
        for one in _living(pids):
            one.kill()


def _living(pids: set[int]) -> list[psutil.Process]:
    found = [psutil.Process(pid) for pid in pids if psutil.pid_exists(pid)]
    return [one for one in found if one.is_running() and one.status() != psutil.STATUS_ZOMBIE]

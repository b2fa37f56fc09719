"""A worker or a pool child that dies: what it ran starts again, and the story is told."""

from __future__ import annotations

import os
import signal
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.db.models import Max

from executions import clock
from executions.models import Execution, Status
from jobs.policies import OnLost
from tests.crash.app import record
from tests.crash.locks import await_blocked, await_given_up, settling_blocked
from tests.waiting import eventually

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from tests.crash.ground import Ground
    from tests.crash.trial import Trial

pytestmark = pytest.mark.crash

HELD = 4  # executions that the fault is sure to find where it wants them
RECOVERY_SECONDS = 15  # P6, with a lease of up to 10 s
CRASH = timedelta(seconds=5)  # a pool child's death is settled by its parent, not by the lease
DEATHS = 3  # P15: an execution that takes three workers with it is not given a fourth
SETTLE = "WITH asked AS MATERIALIZED"


def test_worker_killed_before_the_effect(ground: Ground) -> None:
    ground.staff(beats=1, io=1, compute=2)
    with ground.trial("worker killed before the effect") as trial:
        held = trial.compute(HELD, before=2.0)
        trial.compute(trial.size)
        eventually(lambda: len(_pids(ground, held)) == HELD, within=30)
        assert not trial.starts_of(held)

        with trial.fault():
            ground.holder(_holder(held)).kill()
        trial.bites("attempts lost", trial.ended("lost"))
        verdict = trial.verdict()

    assert verdict.holds, verdict.violations
    assert (verdict.recovery_p99 or 0) <= RECOVERY_SECONDS


def test_worker_killed_during_the_effect(ground: Ground) -> None:
    ground.staff(beats=1, io=2)
    with ground.trial("worker killed during the effect") as trial:
        held = _held_by_the_target(trial, ground)
        once = trial.http(HELD, path="/gated", on_lost=OnLost.FAIL)
        trial.await_starts(2 * HELD)
        victim = ground.holder(_holder(held))
        hit = Execution.objects.filter(pk__in=once, status=Status.RUNNING, worker=victim.name)
        doomed = list(hit)

        with trial.fault():
            victim.kill()
        ground.target.gate.set()
        trial.bites("attempts lost", trial.ended("lost"))
        verdict = trial.verdict()

    assert verdict.holds, verdict.violations
    assert verdict.recovery_p99 is not None
    assert verdict.recovery_p99 <= RECOVERY_SECONDS
    for execution in doomed:
        execution.refresh_from_db()
        assert (execution.status, execution.reason) == (Status.FAILED, "worker_lost")


def test_worker_killed_after_the_effect(ground: Ground) -> None:
    ground.staff(beats=1, io=2)
    with ground.trial("worker killed after the effect") as trial:
        held = _held_by_the_target(trial, ground)
        trial.await_starts(HELD)
        with settling_blocked(held):
            ground.target.gate.set()
            settling = await_blocked(SETTLE)
            victim = next(iter(settling.values()))
            with trial.fault():
                ground.holder(victim).kill()
            await_given_up([pid for pid, name in settling.items() if name == victim], SETTLE)
        trial.bites("attempts lost", trial.ended("lost"))
        verdict = trial.verdict()

    assert verdict.holds, verdict.violations
    assert verdict.recovery_p99 is not None
    assert verdict.recovery_p99 <= RECOVERY_SECONDS


def test_pool_child_killed_before_the_effect(ground: Ground) -> None:
    ground.staff(beats=1, compute=1)
    with ground.trial("pool child killed before the effect") as trial:
        held = trial.compute(HELD, before=2.0)
        trial.compute(trial.size)
        pid = eventually(lambda: _pids(ground, held), within=30).pop()
        assert not trial.starts_of(held)
        _kill_child(trial, pid)


def test_pool_child_killed_during_the_effect(ground: Ground) -> None:
    ground.staff(beats=1, compute=1)
    with ground.trial("pool child killed during the effect") as trial:
        held = trial.compute(HELD, after=2.0)
        trial.compute(trial.size)
        eventually(lambda: trial.starts_of(held), within=30)
        _kill_child(trial, _pids(ground, held).pop())


def test_pool_child_killed_after_the_effect(ground: Ground) -> None:
    ground.staff(beats=1, compute=1)
    with ground.trial("pool child killed after the effect") as trial:
        held = trial.compute(1, after=1.0)
        trial.compute(trial.size)
        eventually(lambda: trial.starts_of(held), within=30)
        with settling_blocked(held):
            settling = await_blocked(SETTLE)
            killed_at = clock.read()
            with trial.fault():
                os.kill(_pids(ground, held).pop(), signal.SIGKILL)
            await_given_up(settling, SETTLE)
        _settled_by_the_parent(trial, killed_at)


def test_a_poison_job_is_quarantined_and_the_others_are_done(ground: Ground) -> None:
    ground.staff(beats=1, compute=1)
    with ground.trial("job that kills its pool child") as trial:
        with trial.fault():
            poison = trial.compute(1, function="crash.die")
            trial.may_fail(poison)
            others = trial.compute(trial.size, after=0.1, over=6)
        trial.bites(f"{DEATHS} pool children died", lambda: len(trial.starts_of(poison)) == DEATHS)
        verdict = trial.verdict()

    assert verdict.holds, verdict.violations
    execution = Execution.objects.get(pk=poison[0])
    assert (execution.status, execution.reason) == (Status.FAILED, "quarantined")
    assert (execution.failures, execution.losses) == (0, DEATHS)
    reasons = execution.attempts.order_by("number").values_list("outcome", "reason")
    assert list(reasons)[: DEATHS - 1] == [("lost", "worker_crashed")] * (DEATHS - 1)
    touched = Execution.objects.filter(pk__in=others).exclude(attempt=1)
    assert not touched.exists()


def _kill_child(trial: Trial, pid: int) -> None:
    killed_at = clock.read()
    with trial.fault():
        os.kill(pid, signal.SIGKILL)
    _settled_by_the_parent(trial, killed_at)


def _settled_by_the_parent(trial: Trial, killed_at: datetime) -> None:
    crashed = trial.attempts.filter(outcome="lost", reason="worker_crashed")
    trial.bites("attempts crashed", crashed.count, within=10)
    verdict = trial.verdict()
    assert verdict.holds, verdict.violations
    assert crashed.aggregate(latest=Max("finished_at"))["latest"] <= killed_at + CRASH


def _held_by_the_target(trial: Trial, ground: Ground) -> list[UUID]:
    """A load of which ``HELD`` wait for the target's gate."""
    ground.target.gate.clear()
    held = trial.http(HELD, path="/gated")
    trial.http(trial.size)
    return held


def _holder(ids: list[UUID]) -> str:
    """The worker that runs most of ``ids``."""
    running = Execution.objects.filter(pk__in=ids, status=Status.RUNNING)
    workers = list(running.values_list("worker", flat=True))
    return max(workers, key=workers.count)


def _pids(ground: Ground, ids: list[UUID]) -> set[int]:
    """The pool children that have begun with ``ids``."""
    known = {str(one) for one in ids}
    lines = record.lines(ground.record)
    return {
        line["pid"] for line in lines if line["what"] == "entered" and line["execution"] in known
    }

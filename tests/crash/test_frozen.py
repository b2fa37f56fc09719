"""A beat or a worker that stops for longer than its lease and then goes on, knowing nothing."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from executions import clock
from executions.models import Execution, Status
from tests.crash.app import record
from tests.crash.lateness import latest
from tests.crash.locks import await_blocked, slot_blocked
from tests.waiting import eventually, in_time

if TYPE_CHECKING:
    from tests.crash.ground import Ground

pytestmark = pytest.mark.crash

LATE = timedelta(seconds=5)  # P7: whoever is frozen is as good as dead
# The database ends a transaction that idles for 10 s (settings.DB_IDLE_SECONDS): nobody can tell
# sooner that a process is frozen. P7's 5 s are those of one that was killed.
LATE_IN_TRANSACTION = timedelta(seconds=10 + 5)
OVERLAP_SECONDS = 1.0  # P5
FIRE = "INSERT INTO %executions_execution"


def test_idle_beat_frozen_and_thawed(ground: Ground) -> None:
    ground.staff(beats=2, io=1)
    with ground.trial("beat frozen, then thawed") as trial:
        trial.slots(number=8)
        trial.await_starts(2)

        with trial.fault():
            ground.beats[0].freeze()
            since = clock.read()
            trial.await_starts(6)
            ground.beats[0].thaw()
        trial.bites("slots fired since", trial.executions.filter(created_at__gt=since).count)
        verdict = trial.verdict()

    assert verdict.holds, verdict.violations
    assert latest(trial, since=since) <= LATE


def test_beat_frozen_in_its_transaction(ground: Ground) -> None:
    ground.staff(beats=2, io=1)
    with ground.trial("beat frozen in its transaction, then thawed") as trial:
        schedule = trial.slots(number=8)
        assert schedule.next_fire_at
        first = Execution.of(
            schedule.job,
            now=clock.read(),
            due_at=schedule.next_fire_at,
            schedule=schedule,
            scheduled_for=schedule.next_fire_at,
        )
        with trial.fault():
            with slot_blocked(first):
                holder = ground.holder(next(iter(await_blocked(FIRE).values())))
                holder.freeze()
            trial.bites("the beat held the schedule's row", lambda: holder)
            done = trial.executions.filter(status=Status.SUCCEEDED)
            fired = in_time(lambda: done.count() >= 3, within=20)
            holder.thaw()
        verdict = trial.verdict()

    assert verdict.holds, verdict.violations
    assert fired, "the frozen beat's row kept the others from firing"
    assert latest(trial, since=first.due_at) <= LATE_IN_TRANSACTION


def test_io_worker_frozen_past_its_lease(ground: Ground) -> None:
    ground.staff(beats=1, io=2)
    with ground.trial("worker frozen past its lease, then thawed") as trial:
        ground.target.gate.clear()
        held = trial.http(4, path="/gated")
        trial.http(trial.size)
        trial.await_starts(len(held))
        victim = ground.holder(
            trial.executions.filter(pk__in=held, status=Status.RUNNING)[0].worker
        )

        with trial.fault():
            victim.freeze()
            eventually(trial.ended("lost"), within=20)
            ground.target.gate.set()  # the answer is there when the worker wakes up
            victim.thaw()
        trial.bites("late writes refused", lambda: victim.output.count("execution.superseded"))
        verdict = trial.verdict()

    assert verdict.holds, verdict.violations


def test_compute_worker_frozen_past_its_lease(ground: Ground) -> None:
    ground.staff(beats=1, compute=2)
    with ground.trial("compute worker frozen past its lease, then thawed") as trial:
        held = trial.compute(2, function="crash.tick", seconds=5)
        trial.compute(trial.size)
        trial.await_starts(trial.size // 2)
        running = trial.executions.filter(pk__in=held, status=Status.RUNNING)
        eventually(lambda: running.count() == len(held), within=20)
        victim = ground.holder(running[0].worker)
        frozen = {str(one.pk): one.attempt for one in running.filter(worker=victim.name)}

        with trial.fault():
            victim.freeze()
            eventually(trial.ended("lost"), within=20)
            victim.thaw()
            thawed_at = clock.read().timestamp()
        trial.bites("attempts lost", trial.ended("lost"))
        verdict = trial.verdict()

    assert verdict.holds, verdict.violations
    overlaps = [
        line["at"] - thawed_at
        for line in record.lines(ground.record)
        if line["what"] == "tick" and line["attempt"] == frozen.get(line["execution"])
    ]
    assert max(overlaps) <= OVERLAP_SECONDS

"""A beat that dies: no slot is lost, doubled or late, wherever it was."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.db.models import F

from executions import clock
from executions.models import Execution, Status
from tests.crash.lateness import latest
from tests.crash.locks import await_blocked, slot_blocked
from tests.crash.tarpit import tarpit
from tests.waiting import eventually

if TYPE_CHECKING:
    from tests.crash.ground import Ground

pytestmark = pytest.mark.crash

LATE_AFTER_KILL = timedelta(seconds=5)  # P7
LATE_AFTER_TERM = timedelta(seconds=1)
PROGRESS_SECONDS = 30  # P12: what was committed is published again
FIRE = "INSERT INTO %executions_execution"


def test_beat_killed_between_commit_and_publish(ground: Ground) -> None:
    """Goes first: no other beat may run that would publish in its place."""
    ground.staff(beats=0, io=1)
    with ground.trial("beat killed between commit and publish") as trial, tarpit() as port:
        beat = ground.stack.start_beat(env={"REDIS_URL": f"redis://127.0.0.1:{port}/0"})
        ids = trial.http(trial.size)
        queued = trial.executions.filter(status=Status.QUEUED)
        eventually(lambda: queued.count() == len(ids), within=30)
        assert not trial.starts()

        with trial.fault():
            beat.kill()
        trial.bites("rows committed, nothing published", queued.exists)
        ground.staff(beats=1, io=1)
        verdict = trial.verdict()

    assert verdict.holds, verdict.violations
    assert verdict.first_progress is not None
    assert verdict.first_progress <= PROGRESS_SECONDS


def test_beat_killed_between_claim_and_commit(ground: Ground) -> None:
    ground.staff(beats=2, io=1)
    with ground.trial("beat killed between claim and commit") as trial:
        schedule = trial.slots(number=4)
        assert schedule.next_fire_at
        first = Execution.of(
            schedule.job,
            now=clock.read(),
            due_at=schedule.next_fire_at,
            schedule=schedule,
            scheduled_for=schedule.next_fire_at,
        )
        with slot_blocked(first):
            holder = next(iter(await_blocked(FIRE).values()))
            with trial.fault():
                ground.holder(holder).kill()
        trial.bites("the beat held the schedule's row", lambda: holder)
        verdict = trial.verdict()

    assert verdict.holds, verdict.violations
    assert latest(trial, since=first.due_at) <= LATE_AFTER_KILL


def test_three_beats_of_which_one_is_killed(ground: Ground) -> None:
    ground.staff(beats=3, io=1)
    with ground.trial("three beats, one killed") as trial:
        for _ in range(max(1, trial.size // 8)):
            trial.slots(number=8)
        trial.await_starts(3)

        with trial.fault():
            killed_at = clock.read()
            ground.beats[0].kill()
        trial.bites("slots after the kill", trial.executions.filter(due_at__gt=killed_at).count)
        verdict = trial.verdict()

    assert verdict.holds, verdict.violations
    assert latest(trial, since=killed_at) <= LATE_AFTER_KILL
    assert not trial.executions.filter(started_at__lt=F("scheduled_for")).exists()  # never early


def test_three_beats_of_which_one_is_terminated(ground: Ground) -> None:
    ground.staff(beats=3, io=1)
    with ground.trial("three beats, one terminated") as trial:
        for _ in range(max(1, trial.size // 8)):
            trial.slots(number=8)
        trial.await_starts(3)

        with trial.fault():
            asked_at = clock.read()
            ground.beats[0].terminate(within=5)
        trial.bites("slots after the end", trial.executions.filter(due_at__gt=asked_at).count)
        verdict = trial.verdict()

    assert verdict.holds, verdict.violations
    assert latest(trial, since=asked_at) <= LATE_AFTER_TERM

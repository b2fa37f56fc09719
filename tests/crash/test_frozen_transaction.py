"""A beat that stops in the middle of its transaction holds rows; nobody may wait for it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from executions import clock
from executions.models import Execution, Status
from tests.crash.lateness import latest
from tests.crash.locks import await_blocked, slot_blocked
from tests.waiting import in_time

if TYPE_CHECKING:
    from tests.crash.ground import Ground

pytestmark = pytest.mark.crash

# The database ends a transaction that idles for 10 s (settings.DB_IDLE_SECONDS): nobody can tell
# sooner that a process is frozen. P7's 5 s are those of one that was killed.
LATE = timedelta(seconds=10 + 5)
FIRE = "INSERT INTO %executions_execution"


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
                holder = ground.holder(await_blocked(FIRE)[0])
                holder.freeze()
            trial.bites("the beat held the schedule's row", lambda: holder)
            done = trial.executions.filter(status=Status.SUCCEEDED)
            fired = in_time(lambda: done.count() >= 3, within=20)
            holder.thaw()
        verdict = trial.verdict()

    assert verdict.holds, verdict.violations
    assert fired, "the frozen beat's row kept the others from firing"
    assert latest(trial, since=first.due_at) <= LATE

"""The wall clock of single processes jumps while they work: nothing is lost, doubled or early."""

from __future__ import annotations

import time
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from django.db.models import F

from tests.crash.lateness import latest

if TYPE_CHECKING:
    from tests.crash.ground import Ground

pytestmark = pytest.mark.crash

HERE = Path(__file__).parent / "clock"
LATE = timedelta(seconds=5)
HOUR, DAY = 3600, 86_400
JUMPING = 3 + 4  # a beat, an io worker, and a compute worker with its pool children


class Clock:
    """The wall clock of the parts that were started with ``env``."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self.env = {"CHRONOS_CRASH_CLOCK": str(file), "PYTHONPATH": str(HERE)}

    def jump(self, seconds: int) -> None:
        fresh = self._file.with_suffix(".new")
        fresh.write_text(str(seconds))
        fresh.replace(self._file)

    def jumped(self, seconds: int) -> int:
        """How many processes have read a time that is off by ``seconds``."""
        file = self._file.with_suffix(".seen")
        lines = [line.split() for line in file.read_text().splitlines()] if file.exists() else []
        off = [
            float(seen) - time.time() - seconds for _, shift, seen in lines if shift == str(seconds)
        ]
        return sum(abs(one) < HOUR / 2 for one in off)


@pytest.fixture(scope="module")
def clock(ground: Ground) -> Clock:
    """A beat, an io worker and a compute worker whose clock jumps, and a beat whose does not."""
    clock = Clock(ground.record.with_name("clock"))
    ground.staff(beats=1, io=0)
    parts = [
        ground.stack.start_beat(env=clock.env),
        ground.stack.start_worker("io", slots=4, env=clock.env),
        ground.stack.start_worker("compute", slots=4, env=clock.env),
    ]
    ground.stack.wait(parts)
    return clock


@pytest.mark.parametrize(
    ("name", "seconds"),
    [("+ 1 h", HOUR), ("- 1 h", -HOUR), ("+ 1 d", DAY), ("- 1 d", -DAY)],
)
def test_the_wall_clock_jumps(ground: Ground, clock: Clock, name: str, seconds: int) -> None:
    with ground.trial(f"wall clock of a beat and both workers {name}") as trial:
        schedule = trial.slots(number=6)
        assert schedule.anchor
        trial.http(trial.size, path="/work?seconds=0.1", over=4)
        trial.compute(trial.size, over=4)
        trial.await_starts(2)

        with trial.fault():
            clock.jump(seconds)
            trial.bites("clocks jumped", lambda: clock.jumped(seconds) >= JUMPING)
        verdict = trial.verdict()

    assert verdict.holds, verdict.violations
    assert set(trial.attempts.values_list("outcome", flat=True)) == {"succeeded"}
    assert latest(trial, since=schedule.anchor) <= LATE
    assert not trial.executions.filter(started_at__lt=F("due_at")).exists()
    assert not trial.executions.filter(finished_at__lt=F("started_at")).exists()

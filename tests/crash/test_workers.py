"""A worker that dies: what it ran starts again, once, and the story is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.crash.ground import Ground

pytestmark = pytest.mark.crash


def test_worker_killed_during_the_effect(ground: Ground) -> None:
    ground.staff(beats=1, io=2)
    with ground.trial("worker killed during the effect") as trial:
        ground.target.gate.clear()
        trial.http(trial.size, path="/gated")
        trial.await_starts(8)

        with trial.fault():
            ground.io[0].kill()
        ground.target.gate.set()
        trial.bites("attempts lost", trial.attempts.filter(outcome="lost").exists)
        verdict = trial.verdict()

    assert verdict.holds, verdict.violations
    assert verdict.recovery_p99 is not None
    assert verdict.recovery_p99 <= 15

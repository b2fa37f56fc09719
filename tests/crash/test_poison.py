"""A job that kills its worker again and again: stopped after three, and nobody else pays."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from executions.models import Execution, Status

if TYPE_CHECKING:
    from tests.crash.ground import Ground

pytestmark = pytest.mark.crash

DEATHS = 3  # P15


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

"""Nothing runs for an hour, then everything at once."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from executions import clock
from executions.models import Status
from jobs.models import Schedule
from jobs.policies import Misfire, Overlap

if TYPE_CHECKING:
    from tests.crash.ground import Ground
    from tests.crash.trial import Trial

pytestmark = pytest.mark.crash

MISSED = 60  # slots, one a minute
PROGRESS_SECONDS = 30  # with the start of the processes


def test_an_hour_of_downtime_and_then_the_flood(ground: Ground) -> None:
    with ground.trial("all processes down for an hour, then the flood") as trial:
        with trial.fault():
            schedules = {policy: _missed(trial, policy) for policy in Misfire}
            trial.burst(trial.http_job(), trial.size, ago=timedelta(hours=1))
            trial.burst(trial.python_job(), trial.size, ago=timedelta(hours=1))
            assert not trial.starts()
        ground.staff(beats=2, io=2, compute=1)
        skipped = trial.executions.filter(status=Status.SKIPPED, reason="misfire")
        trial.bites("stretches of missed slots", skipped.count)
        verdict = trial.verdict(within=120)

    assert verdict.holds, verdict.violations
    assert (verdict.first_progress or 0) <= PROGRESS_SECONDS
    ran = {
        policy: trial.executions.filter(schedule=schedule, status=Status.SUCCEEDED).count()
        for policy, schedule in schedules.items()
    }
    assert ran[Misfire.ALL] == MISSED
    assert ran[Misfire.LATEST] == 1
    assert ran[Misfire.SKIP] <= 2  # those that were noticed within the grace of a minute


def _missed(trial: Trial, misfire: Misfire) -> Schedule:
    """A schedule that owes the ``MISSED`` slots of the last hour, and is far from its next."""
    job = trial.http_job()
    now = clock.read()
    first = now - timedelta(minutes=MISSED - 0.5)
    Schedule.objects.filter(job=job).update(
        type=Schedule.Type.INTERVAL,
        every_seconds=60,
        anchor=first,
        next_fire_at=first,
        misfire=misfire,
        overlap=Overlap.ALLOW,
    )
    schedule = Schedule.objects.get(job=job)
    trial.owe(schedule, _slots(first))
    trial.may_skip(schedule)
    return schedule


def _slots(first: datetime) -> list[datetime]:
    return [first + timedelta(minutes=number) for number in range(MISSED)]

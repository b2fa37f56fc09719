"""Pauses with an end: jobs go on by themselves."""

from __future__ import annotations

from datetime import timedelta

import pytest

from executions import scheduler
from executions.maintenance import wake_paused
from executions.models import Execution, Status
from jobs import definitions
from jobs.models import Job
from jobs.policies import Misfire
from tests.factories import NOON, ScheduleFactory

pytestmark = pytest.mark.django_db

MINUTE = timedelta(minutes=1)
UNTIL = NOON + 5 * MINUTE


def paused(until: object = UNTIL) -> Job:
    """A job that is due each minute since NOON and rests since then."""
    job = ScheduleFactory.create(misfire=Misfire.SKIP).job
    definitions.pause(job, now=NOON, actor=None, until=until)  # type: ignore[arg-type]
    return job


def test_a_job_goes_on_when_its_pause_is_over_and_not_before() -> None:
    job = paused()

    assert wake_paused(UNTIL - MINUTE) == 0
    assert wake_paused(UNTIL) == 1

    job.refresh_from_db()
    assert (job.status, job.paused_until) == ("active", None)
    assert wake_paused(UNTIL) == 0


def test_the_newest_slot_of_the_pause_runs_and_the_others_are_recorded() -> None:
    paused()
    wake_paused(UNTIL)

    scheduler.fire_due(UNTIL)

    ran = Execution.objects.get(status=Status.SCHEDULED)
    skipped = Execution.objects.get(status=Status.SKIPPED)
    assert (ran.scheduled_for, skipped.reason) == (UNTIL, "paused")


def test_what_is_due_after_the_pause_is_late_and_not_missed() -> None:
    paused()
    much_later = UNTIL + 10 * MINUTE
    wake_paused(much_later)

    while scheduler.fire_due(much_later):
        pass

    slots = Execution.objects.filter(status=Status.SCHEDULED).order_by("scheduled_for")
    reasons = Execution.objects.filter(status=Status.SKIPPED).order_by("scheduled_for")
    assert [row.scheduled_for for row in slots] == [UNTIL, much_later - MINUTE, much_later]
    assert [row.reason for row in reasons] == ["paused", "misfire"]


def test_a_pause_without_an_end_and_an_archived_job_stay_as_they_are() -> None:
    paused(until=None)
    definitions.archive(paused(), now=NOON, actor=None)

    assert wake_paused(UNTIL) == 0
    assert Job.objects.filter(paused_at__isnull=False).count() == 2

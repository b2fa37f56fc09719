"""What a pause, an edit or an archive passes over is recorded, and what a resume asks for runs."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from executions import scheduler
from executions.models import Execution, Status
from jobs import definitions
from jobs.models import Job, Schedule
from jobs.policies import Misfire
from tests.factories import NOON, ScheduleFactory, UserFactory

if TYPE_CHECKING:
    from datetime import datetime

pytestmark = pytest.mark.django_db

MINUTE = timedelta(minutes=1)
LATER = NOON + 5 * MINUTE
HOURLY = {"type": "interval", "every_seconds": 3600}


def paused(**schedule: Any) -> Job:
    """A job that is due each minute since NOON and rests since then."""
    job = ScheduleFactory.create(**schedule).job
    ann = UserFactory.create(email="ann@example.org")
    definitions.pause(job, now=NOON, actor=ann, reason="noisy")
    return job


def fire(now: datetime) -> list[datetime | None]:
    """Settle all that is due; return the slots that run, the oldest first."""
    while scheduler.fire_due(now):
        pass
    ran = Execution.objects.filter(status=Status.SCHEDULED).order_by("scheduled_for")
    return list(ran.values_list("scheduled_for", flat=True))


def skipped() -> list[tuple[str, dict[str, Any]]]:
    rows = Execution.objects.filter(status=Status.SKIPPED).order_by("scheduled_for")
    return [(row.reason, row.result or {}) for row in rows]


def test_a_resume_that_skips_records_what_it_passes_over_and_who_paused() -> None:
    job = paused()

    definitions.resume(job, now=LATER, actor=None, missed="skip")

    ((reason, told),) = skipped()
    assert reason == "paused"
    assert (told["first"], told["last"], told["count"]) == (NOON.isoformat(), LATER.isoformat(), 6)
    assert (told["by"], told["because"]) == ("ann@example.org", "noisy")
    assert fire(LATER) == []
    assert fire(LATER + MINUTE) == [LATER + MINUTE]


@pytest.mark.parametrize("misfire", Misfire)
def test_a_resume_runs_the_newest_missed_slot_whatever_the_policy(misfire: Misfire) -> None:
    job = paused(misfire=misfire)

    definitions.resume(job, now=LATER, actor=None, missed="latest")

    assert fire(LATER) == [LATER]
    ((reason, told),) = skipped()
    assert (reason, told["count"]) == ("paused", 5)


@pytest.mark.parametrize("misfire", Misfire)
def test_a_resume_runs_all_missed_slots_whatever_the_policy(misfire: Misfire) -> None:
    job = paused(misfire=misfire)

    definitions.resume(job, now=LATER, actor=None, missed="all")

    assert fire(LATER) == [NOON + n * MINUTE for n in range(6)]
    assert skipped() == []


def test_what_is_late_after_the_resume_follows_the_misfire_policy() -> None:
    job = paused(misfire=Misfire.LATEST)
    definitions.resume(job, now=NOON + MINUTE, actor=None, missed="all")

    assert fire(LATER) == [NOON, NOON + MINUTE, LATER]
    ((reason, told),) = skipped()
    assert (reason, told["count"]) == ("misfire", 3)


def test_a_second_pause_gives_another_choice_about_what_is_still_owed() -> None:
    job = paused()
    definitions.resume(job, now=NOON + MINUTE, actor=None, missed="all")
    definitions.pause(job, now=NOON + MINUTE, actor=None)
    definitions.resume(job, now=LATER, actor=None, missed="skip")

    assert fire(LATER) == []
    ((_, told),) = skipped()
    assert told["count"] == 6


def test_an_edit_records_what_was_due_under_the_version_it_was_due_by() -> None:
    job = ScheduleFactory.create().job

    definitions.change(job, {"schedule": HOURLY}, actor=None, now=LATER)

    row = Execution.objects.get()
    assert (row.status, row.reason, row.version.number) == (Status.SKIPPED, "edited", 1)
    assert row.result is not None
    assert (row.result["count"], row.result["version"]) == (6, 2)
    assert fire(LATER) == []


def test_an_edit_that_leaves_the_schedule_alone_passes_over_nothing() -> None:
    job = ScheduleFactory.create().job

    definitions.change(job, {"payload": {"a": 1}}, actor=None, now=LATER)

    assert fire(NOON) == [NOON]
    assert skipped() == []


def test_a_restore_records_what_passed_while_the_job_was_archived() -> None:
    job = ScheduleFactory.create().job
    definitions.archive(job, now=NOON - MINUTE, actor=None)

    definitions.restore(job, now=LATER, actor=None)

    ((reason, told),) = skipped()
    assert (reason, told["count"]) == ("archived", 6)
    assert fire(LATER) == []


def test_an_archive_records_what_was_due_and_never_fired() -> None:
    job = ScheduleFactory.create().job

    definitions.archive(job, now=LATER, actor=None)

    ((reason, told),) = skipped()
    assert (reason, told["count"]) == ("archived", 6)
    assert fire(LATER) == []


def test_a_pause_that_passed_no_slot_records_nothing() -> None:
    job = paused(next_fire_at=NOON + timedelta(hours=1))

    definitions.resume(job, now=LATER, actor=None, missed="skip")

    assert not Execution.objects.exists()


def test_a_schedule_that_no_longer_makes_sense_can_be_resumed_and_edited() -> None:
    job = paused(type="cron", cron="0 12 * * *", timezone="Mars/Olympus")

    definitions.resume(job, now=LATER, actor=None, missed="skip")
    scheduler.fire_due(LATER)
    assert Schedule.objects.get().is_set_aside
    definitions.change(job, {"schedule": HOURLY}, actor=None, now=LATER)

    schedule = Schedule.objects.get()
    assert (schedule.enabled, schedule.is_set_aside) == (True, False)


def test_saying_the_same_schedule_again_mends_one_that_was_set_aside() -> None:
    schedule = ScheduleFactory.create(enabled=False, disabled_reason="no such zone, until today")

    definitions.change(schedule.job, {"schedule": schedule.spec}, actor=None, now=LATER)

    schedule.refresh_from_db()
    assert (schedule.enabled, schedule.next_fire_at) == (True, LATER + MINUTE)
    assert [told["count"] for _, told in skipped()] == [6]


def test_an_edit_cannot_give_back_executions_that_a_schedule_has_had() -> None:
    schedule = ScheduleFactory.create(max_executions=1)
    assert fire(NOON) == [NOON]

    twice = schedule.spec | {"every_seconds": 120}
    definitions.change(schedule.job, {"schedule": twice}, actor=None, now=NOON)
    assert Schedule.objects.get().next_fire_at is None

    definitions.change(
        schedule.job, {"schedule": twice | {"max_executions": 2}}, actor=None, now=NOON
    )
    assert Schedule.objects.get().next_fire_at == NOON + 2 * MINUTE

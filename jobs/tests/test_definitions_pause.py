"""Jobs rest, go and come back; the database says what is left."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.db import transaction

from jobs import definitions, host
from jobs.models import Job, Schedule
from tests.factories import NOON, ScheduleFactory, TeamFactory

if TYPE_CHECKING:
    from collections.abc import Callable

    from accounts.models import Team

pytestmark = pytest.mark.django_db

CRON = {"type": "cron", "cron": "0 9 * * 1", "timezone": "UTC"}
MONDAY = datetime(2027, 6, 21, 9, 0, tzinfo=UTC)  # the first after NOON, which is a Tuesday
LATER = NOON + timedelta(hours=1)


def make(team: Team | None = None, **body: Any) -> Job:
    body = {"name": "Report"} | body
    return definitions.create(team or TeamFactory.create(), body, actor=None, now=NOON)


# --- pause, resume -------------------------------------------------------------------------------


def test_a_paused_job_is_not_due_and_says_why() -> None:
    job = make(schedule=CRON)
    definitions.pause(job, now=NOON, actor=None, reason="noisy")
    assert not Schedule.objects.due(MONDAY).exists()
    assert (job.status, job.paused_at, job.paused_reason) == ("paused", NOON, "noisy")
    with pytest.raises(definitions.JobPausedError) as refusal:
        definitions.check_startable(job)
    assert refusal.value.current_status == "paused"
    assert "resume" in refusal.value.allowed_actions


def test_a_second_pause_keeps_the_first_reason() -> None:
    job = make()
    definitions.pause(job, now=NOON, actor=None, reason="noisy")
    definitions.pause(job, now=LATER, actor=None, reason="again")
    job.refresh_from_db()
    assert (job.paused_at, job.paused_reason) == (NOON, "noisy")


def test_resume_passes_over_what_was_missed_or_leaves_it_to_be_settled() -> None:
    minutely = {"type": "interval", "every_seconds": 60}
    missed: definitions.Missed
    for missed, due in (("skip", 61), ("latest", 1), ("all", 1)):
        job = make(schedule=minutely)
        definitions.pause(job, now=NOON, actor=None)
        definitions.resume(job, now=LATER, actor=None, missed=missed)
        assert Schedule.objects.get(job=job).next_fire_at == NOON + timedelta(minutes=due)
        definitions.check_startable(job)


def test_resuming_a_job_that_is_not_paused_moves_nothing() -> None:
    schedule = ScheduleFactory.create(next_fire_at=NOON)
    definitions.resume(schedule.job, now=LATER, actor=None)
    schedule.refresh_from_db()
    assert schedule.next_fire_at == NOON


def test_a_single_slot_missed_while_paused_is_gone_when_skipped() -> None:
    job = make(schedule={"type": "once", "run_at": NOON + timedelta(minutes=1)})
    definitions.pause(job, now=NOON, actor=None)
    definitions.resume(job, now=LATER, actor=None)
    assert Schedule.objects.get().next_fire_at is None


# --- archive, restore ----------------------------------------------------------------------------


def test_an_archived_job_frees_its_slug_and_is_not_due() -> None:
    job = make(schedule=CRON)
    definitions.archive(job, now=NOON, actor=None)
    assert not Schedule.objects.due(MONDAY).exists()
    assert make(job.team).slug == job.slug


VERBS: list[Callable[[Job], None]] = [
    lambda job: definitions.change(job, {"name": "x"}, actor=None, now=NOON),
    lambda job: definitions.pause(job, now=NOON, actor=None),
    lambda job: definitions.resume(job, now=NOON, actor=None),
    definitions.check_startable,
]


@pytest.mark.parametrize("verb", VERBS)
def test_an_archived_job_can_only_be_restored(verb: Callable[[Job], None]) -> None:
    job = make()
    definitions.archive(job, now=NOON, actor=None)
    definitions.archive(job, now=LATER, actor=None)
    with pytest.raises(definitions.JobArchivedError) as refusal:
        verb(job)
    assert refusal.value.allowed_actions == ["restore"]
    job.refresh_from_db()
    assert job.archived_at == NOON


def test_a_restored_job_goes_on_after_the_slots_it_missed() -> None:
    job = make(schedule={"type": "interval", "every_seconds": 60})
    definitions.archive(job, now=NOON, actor=None)
    definitions.restore(job, now=LATER, actor=None)
    assert job.status == "active"
    assert Schedule.objects.due(LATER + timedelta(minutes=1)).get().job == job
    assert not Schedule.objects.due(LATER).exists()


def test_a_job_that_was_paused_comes_back_paused() -> None:
    job = make(schedule=CRON, status="paused")
    definitions.archive(job, now=NOON, actor=None)
    definitions.restore(job, now=LATER, actor=None)
    assert (job.status, Schedule.objects.get().disabled_reason) == ("paused", "paused")


def test_restoring_a_job_that_is_not_archived_changes_nothing() -> None:
    job = make(schedule=CRON)
    definitions.restore(job, now=LATER, actor=None)
    assert Schedule.objects.get().next_fire_at == MONDAY


def test_a_job_can_be_restored_for_thirty_days() -> None:
    job = make()
    definitions.archive(job, now=NOON, actor=None)
    too_late = NOON + timedelta(days=30, seconds=1)
    with pytest.raises(definitions.RestoreExpiredError):
        definitions.restore(job, now=too_late, actor=None)
    definitions.restore(job, now=NOON + timedelta(days=30), actor=None)
    assert job.status == "active"


def test_a_job_whose_slug_went_to_another_cannot_be_restored() -> None:
    job = make()
    definitions.archive(job, now=NOON, actor=None)
    make(job.team)
    with pytest.raises(definitions.SlugTakenError):
        definitions.restore(job, now=LATER, actor=None)
    job.refresh_from_db()
    assert job.status == "archived"


# --- the bell ------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_the_beats_are_woken_once_the_schedule_is_stored(rings: list[str]) -> None:
    with transaction.atomic():
        job = make(schedule=CRON)
        assert not rings, "a beat would not see the row yet"
    assert len(rings) == 1

    definitions.pause(job, now=NOON, actor=None)
    assert len(rings) == 1, "nothing is due earlier than before"
    definitions.resume(job, now=NOON, actor=None)
    assert len(rings) == 2


@pytest.mark.django_db(transaction=True)
def test_a_bell_that_fails_does_not_fail_the_create(caplog: pytest.LogCaptureFixture) -> None:
    def broken() -> None:
        raise RuntimeError("bell")

    before = host._host
    host.connect(host.Host(wake=broken))
    try:
        make(schedule=CRON)
    finally:
        host.connect(before)
    assert Job.objects.count() == 1

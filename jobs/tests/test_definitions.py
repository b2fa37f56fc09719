"""Jobs come, change, rest, go and come back; the database says what is left."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection, transaction

from executions import scheduler
from executions.models import Execution
from jobs import bodies, definitions
from jobs.models import Job, JobVersion, Schedule
from jobs.tests.calls import at_once
from jobs.triggers import TriggerError
from tests.factories import NOON, JobFactory, ScheduleFactory, TeamFactory, UserFactory

if TYPE_CHECKING:
    from accounts.models import Team

pytestmark = pytest.mark.django_db

CRON = {"type": "cron", "cron": "0 9 * * 1", "timezone": "UTC"}
MONDAY = datetime(2027, 6, 21, 9, 0, tzinfo=UTC)  # the first after NOON, which is a Tuesday
LATER = NOON + timedelta(hours=1)


def make(team: Team | None = None, **body: Any) -> Job:
    body = {"name": "Report"} | body
    return definitions.create(team or TeamFactory.create(), body, actor=None, now=NOON)


def test_a_job_begins_with_version_one_and_the_defaults() -> None:
    user = UserFactory.create()
    job = definitions.create(TeamFactory.create(), {"name": "Report"}, actor=user, now=NOON)

    job = Job.objects.get(pk=job.pk)
    assert job.current is not None
    assert job.current.number == 1
    assert job.created_by == job.current.created_by == user
    assert bodies.of(job) == {**bodies.DEFAULTS, "name": "Report", "slug": "report"}
    assert job.schedule.next_fire_at is None


@pytest.mark.parametrize(
    ("schedule", "first"),
    [
        ({"type": "manual"}, None),
        ({"type": "cron", "cron": "0 9 * * 1"}, MONDAY),
        ({"type": "cron", "cron": "0 9 * * 1", "timezone": "Europe/Berlin"},
         MONDAY - timedelta(hours=2)),
        ({"type": "interval", "every_seconds": 90}, NOON + timedelta(seconds=90)),
        ({"type": "interval", "every_seconds": 3600, "anchor": NOON - timedelta(minutes=20)},
         NOON + timedelta(minutes=40)),
        ({"type": "once", "run_at": LATER}, LATER),
        ({"type": "once"}, NOON),
        ({"type": "once", "run_at": None}, NOON),
    ],
)  # fmt: skip
def test_the_first_slot_follows_from_the_schedule(
    schedule: dict[str, Any], first: datetime | None
) -> None:
    assert make(schedule=schedule).schedule.next_fire_at == first


def test_a_job_that_is_created_paused_fires_only_after_resume() -> None:
    job = make(schedule=CRON, status="paused")
    assert not Schedule.objects.due(MONDAY).exists()

    definitions.resume(job, now=NOON, actor=None)
    assert Schedule.objects.due(MONDAY).get().job == job


def test_an_unusable_schedule_leaves_no_row() -> None:
    with pytest.raises(TriggerError):
        make(schedule={"type": "cron", "cron": "nonsense"})
    assert not Job.objects.exists()


# --- slugs ---------------------------------------------------------------------------------------


def test_equal_names_get_numbered_slugs() -> None:
    team = TeamFactory.create()
    assert [make(team).slug for _ in range(3)] == ["report", "report-2", "report-3"]
    assert make().slug == "report", "another team has slugs of its own"


def test_a_numbered_slug_stays_within_its_length() -> None:
    team = TeamFactory.create()
    long = [make(team, name="x" * 200).slug for _ in range(2)]
    assert long == ["x" * 80, "x" * 78 + "-2"]


def test_a_given_slug_that_is_taken_is_an_error() -> None:
    team = TeamFactory.create()
    make(team, slug="mine")
    with pytest.raises(definitions.SlugTakenError):
        make(team, slug="mine")
    assert Job.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_twenty_creates_of_one_name_at_once_make_twenty_slugs() -> None:
    team = TeamFactory.create()

    found = at_once(8, lambda n: make(team).slug, calls=20)

    assert sorted(found) == sorted(["report", *(f"report-{n}" for n in range(2, 21))])


@pytest.mark.django_db(transaction=True)
def test_of_twenty_creates_with_one_slug_one_wins() -> None:
    team = TeamFactory.create()

    def create(n: int) -> bool:
        try:
            return bool(make(team, slug="mine"))
        except definitions.SlugTakenError:
            return False

    assert sum(at_once(8, create, calls=20)) == 1
    assert Job.objects.count() == JobVersion.objects.count() == Schedule.objects.count() == 1


# --- change --------------------------------------------------------------------------------------


def test_a_change_adds_a_version_and_keeps_the_old_one() -> None:
    job = make(schedule=CRON, payload={"a": 1})
    first = job.current

    definitions.change(job, {"payload": {"b": 2}, "name": "Other"}, actor=None, now=LATER)

    job = Job.objects.get(pk=job.pk)
    assert job.current is not None
    assert (job.name, job.slug) == ("Other", "report")
    assert (job.current.number, job.current.payload) == (2, {"b": 2})
    assert JobVersion.objects.get(number=1) == first
    assert JobVersion.objects.get(number=1).payload == {"a": 1}


def test_a_change_that_changes_nothing_adds_nothing() -> None:
    job = make(schedule=CRON)
    definitions.change(job, bodies.of(job), actor=None, now=LATER)
    assert JobVersion.objects.count() == 1


def test_a_changed_schedule_is_due_strictly_after_the_change() -> None:
    job = make(schedule=CRON)
    definitions.change(
        job, {"schedule": {"type": "interval", "every_seconds": 60}}, actor=None, now=LATER
    )
    schedule = Schedule.objects.get()
    assert schedule.next_fire_at == LATER + timedelta(seconds=60)
    assert schedule.cron == ""


def test_an_interval_keeps_its_phase_when_only_its_length_changes() -> None:
    job = make(schedule={"type": "interval", "every_seconds": 60})
    definitions.change(
        job,
        {"schedule": {"type": "interval", "every_seconds": 600}},
        actor=None,
        now=NOON + timedelta(seconds=61),
    )
    assert Schedule.objects.get().next_fire_at == NOON + timedelta(seconds=600)


def test_a_slot_that_is_due_survives_a_change_of_something_else() -> None:
    schedule = ScheduleFactory.create(next_fire_at=NOON)
    definitions.change(schedule.job, {"name": "Other"}, actor=None, now=LATER)
    schedule.refresh_from_db()
    assert schedule.next_fire_at == NOON


def test_a_change_mends_a_schedule_that_was_disabled() -> None:
    schedule = ScheduleFactory.create(enabled=False, disabled_reason="no such zone")
    definitions.change(schedule.job, {"schedule": CRON}, actor=None, now=NOON)
    schedule.refresh_from_db()
    assert (schedule.enabled, schedule.disabled_reason) == (True, "")


def test_a_change_leaves_a_paused_job_paused() -> None:
    job = make(schedule=CRON, status="paused")
    definitions.change(job, {"schedule": CRON | {"cron": "* * * * *"}}, actor=None, now=NOON)
    assert not Schedule.objects.get().enabled


def test_a_status_changes_without_a_version() -> None:
    job = make(schedule=CRON)
    definitions.change(job, {"status": "paused"}, actor=None, now=NOON)
    assert (job.status, Schedule.objects.get().enabled) == ("paused", False)
    definitions.change(job, {"status": "active"}, actor=None, now=NOON)
    assert (job.status, Schedule.objects.get().enabled) == ("active", True)
    assert JobVersion.objects.count() == 1


def test_a_slug_cannot_be_changed_to_one_that_is_taken() -> None:
    team = TeamFactory.create()
    make(team, slug="mine")
    other = make(team, slug="other")
    with pytest.raises(definitions.SlugTakenError):
        definitions.change(other, {"slug": "mine"}, actor=None, now=NOON)
    assert JobVersion.objects.filter(job=other).count() == 1


@pytest.mark.django_db(transaction=True)
def test_changes_at_once_use_each_version_number_once_and_lose_nothing() -> None:
    job = make()

    def change(n: int) -> None:
        body = {"description": "new"} if n == 0 else {"payload": {"n": n}}
        definitions.change(Job.objects.get(pk=job.pk), body, actor=None, now=NOON)

    at_once(8, change, calls=8)

    job.refresh_from_db()
    assert sorted(JobVersion.objects.values_list("number", flat=True)) == list(range(1, 10))
    assert job.current is not None
    assert job.current.number == 9
    assert job.description == "new"


@pytest.mark.django_db(transaction=True)
def test_a_pause_during_a_change_is_not_undone_by_it() -> None:
    job = make(schedule=CRON)
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            mine = Job.objects.get(pk=job.pk)
            definitions.change(
                mine, {"schedule": CRON | {"cron": "1 * * * *"}}, actor=None, now=NOON
            )
            pausing = pool.submit(_pause_elsewhere, job)
            with pytest.raises(TimeoutError):
                pausing.result(timeout=0.3)
        pausing.result(timeout=10)

    schedule = Schedule.objects.get()
    assert (schedule.cron, schedule.enabled) == ("1 * * * *", False)


@pytest.mark.django_db(transaction=True)
def test_an_execution_may_be_added_while_its_job_is_being_changed() -> None:
    job = make(schedule=CRON)
    with ThreadPoolExecutor(1) as pool, transaction.atomic():
        definitions.change(Job.objects.get(pk=job.pk), {"name": "Other"}, actor=None, now=NOON)
        pool.submit(_add_row_below, job).result(timeout=10)


@pytest.mark.django_db(transaction=True)
def test_beats_and_changes_at_once_do_not_block_each_other() -> None:
    job = make(schedule={"type": "interval", "every_seconds": 1})

    def act(n: int) -> None:
        if n % 2:
            scheduler.fire_due(NOON + timedelta(seconds=n))
        else:
            body = {"schedule": {"type": "interval", "every_seconds": 1 + n % 3}, "name": f"{n}"}
            definitions.change(Job.objects.get(pk=job.pk), body, actor=None, now=NOON)

    at_once(8, act, calls=40)

    slots = list(Execution.objects.values_list("scheduled_for", flat=True))
    assert len(slots) == len(set(slots))
    assert Schedule.objects.get().next_fire_at is not None


def test_a_job_of_the_factory_reads_like_a_created_one() -> None:
    job = JobFactory.create(name="Report", slug="report")
    assert bodies.of(job) == {**bodies.DEFAULTS, "name": "Report", "slug": "report"}


def _pause_elsewhere(job: Job) -> None:
    definitions.pause(Job.objects.get(pk=job.pk), now=NOON, actor=None)
    connection.close()


def _add_row_below(job: Job) -> None:
    JobVersion.objects.create(job_id=job.pk, number=99, kind="noop")
    connection.close()

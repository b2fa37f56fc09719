"""The list and the page of jobs: run now, pause, resume, archive, restore."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from accounts.roles import Role
from executions.models import Execution, Status
from jobs.models import Job, Schedule
from tests import operators
from tests.factories import NOON, ExecutionFactory, JobFactory, ScheduleFactory
from tests.operators import act, told

pytestmark = pytest.mark.django_db

LIST = "/admin/jobs/job/"
SCRIPT = "<script>alert(1)</script>"


@pytest.fixture
def boss(client: Client) -> User:
    return operators.boss(client)


def page(job: Job) -> str:
    return f"{LIST}{job.pk}/change/"


def test_run_now_starts_an_execution_and_links_to_it(client: Client, boss: User) -> None:
    job = JobFactory.create(name=SCRIPT)

    response = act(client, LIST, "run_now", job)

    execution = Execution.objects.get()
    link = f'<a class="link" href="/admin/executions/execution/{execution.pk}/change/">'
    assert link in told(response)[0]
    assert SCRIPT not in told(response)[0]
    assert execution.events.get().actor == boss.email


def test_a_paused_job_does_not_run_now_and_the_others_do(client: Client, boss: User) -> None:
    paused = JobFactory.create(name="Sleepy", paused_at=NOON)

    response = act(client, LIST, "run_now", paused, JobFactory.create())

    assert Execution.objects.count() == 1
    assert told(response)[-1] == "Sleepy: The job is paused; resume it first."


def test_pause_keeps_the_reason_and_resume_forgets_it(client: Client, boss: User) -> None:
    job = ScheduleFactory.create().job

    act(client, LIST, "pause", job, reason="too noisy")
    job.refresh_from_db()
    assert (job.status, job.paused_reason, job.schedule.enabled) == ("paused", "too noisy", False)

    act(client, LIST, "resume", job)
    job = Job.objects.get()
    assert (job.status, job.paused_reason, job.schedule.enabled) == ("active", "", True)


def test_a_pause_may_end_by_itself_in_the_future(client: Client, boss: User) -> None:
    job = ScheduleFactory.create().job

    response = act(client, LIST, "pause", job, until="2001-01-01T00:00")
    assert told(response)[-1] == "A pause ends in the future."
    response = act(client, LIST, "pause", job, until="soon")
    assert told(response)[-1] == "Enter a valid date/time."
    assert Job.objects.get().status == "active"

    act(client, LIST, "pause", job, until="2040-01-02T03:04", reason="holidays")
    assert Job.objects.get().paused_until == datetime(2040, 1, 2, 3, 4, tzinfo=UTC)
    assert "holidays until 2040-01-02 03:04 UTC" in client.get(page(job)).content.decode()


@pytest.mark.parametrize(("missed", "owed"), [("all", True), ("skip", False), ("nonsense", False)])
def test_whoever_resumes_a_job_says_what_becomes_of_what_was_missed(
    client: Client, boss: User, missed: str, owed: bool
) -> None:
    job = ScheduleFactory.create(next_fire_at=NOON - timedelta(days=900)).job
    act(client, LIST, "pause", job)

    act(client, LIST, "resume", job, missed=missed)

    assert bool(Schedule.objects.get().missed) is owed


@pytest.mark.parametrize(
    ("fields", "asked"), [({}, ["reason", "until"]), ({"paused_at": NOON}, ["missed"])]
)
def test_the_page_of_a_job_asks_what_its_buttons_need(
    client: Client, boss: User, fields: dict[str, Any], asked: list[str]
) -> None:
    shown = client.get(page(JobFactory.create(**fields))).context["page_fields"]

    assert [field.name for field in shown] == asked


def test_an_archived_job_leaves_the_list_and_is_restored_from_its_page(
    client: Client, boss: User
) -> None:
    job = JobFactory.create(name="Old import")
    act(client, LIST, "archive", job)
    assert "Old import" not in client.get(LIST).content.decode()
    assert "Old import" in client.get(LIST, {"state": "archived"}).content.decode()

    act(client, LIST, "restore", job, _page="1")

    assert "Old import" in client.get(LIST).content.decode()


@pytest.mark.parametrize(
    ("fields", "offered"),
    [
        ({}, ["run_now", "pause", "archive"]),
        ({"paused_at": NOON}, ["resume", "archive"]),
        ({"archived_at": NOON}, ["restore"]),
    ],
)
def test_the_page_offers_what_the_state_of_the_job_allows(
    client: Client, boss: User, fields: dict[str, Any], offered: list[str]
) -> None:
    job = JobFactory.create(**fields)

    shown = client.get(page(job)).context["page_actions"]

    assert sorted(name for name, _ in shown) == sorted(offered)


def test_the_list_says_when_a_job_runs_next_and_how_it_ended_last(
    client: Client, boss: User
) -> None:
    schedule = ScheduleFactory.create()
    ExecutionFactory.create(job=schedule.job, status=Status.SUCCEEDED)
    last = ExecutionFactory.create(job=schedule.job, status=Status.FAILED)
    ExecutionFactory.create(job=schedule.job)

    html = client.get(LIST).content.decode()

    for shown in ("Every minute", "2027-06-15 12:00:00", "</svg>failed", str(last.pk)):
        assert shown in html


def test_jobs_are_archived_not_deleted(client: Client, boss: User) -> None:
    job = JobFactory.create()

    assert client.post(f"{LIST}{job.pk}/delete/", {"post": "yes"}).status_code == 403


def test_staff_do_not_see_jobs_of_other_teams(client: Client) -> None:
    team = operators.staff(client, Role.VIEWER, "view_job", "view_schedule", "view_jobversion").team
    JobFactory.create(team=team, name="Ours")
    theirs = JobFactory.create(name="Theirs")

    html = client.get(LIST).content.decode()

    assert ("Ours" in html, "Theirs" in html) == (True, False)
    assert client.get(page(theirs)).status_code == 302

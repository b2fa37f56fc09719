"""The form by which operators write jobs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from accounts.models import Team, User
from accounts.roles import Role
from jobs.models import Job, Limit, Schedule
from tests import operators
from tests.factories import NOON, JobFactory, TeamFactory

pytestmark = pytest.mark.django_db

LIST = "/admin/jobs/job/"
FIELDS = {
    "name": "Nightly import",
    "description": "",
    "kind": "noop",
    "payload": "{}",
    "tags": "",
    "schedule_type": "manual",
    "cron": "",
    "timezone": "UTC",
    "every_seconds": "",
    "run_at_0": "",
    "run_at_1": "",
    "mode": "fixed_rate",
    "misfire": "latest",
    "catch_up_max": "10000",
    "catch_up_pace_seconds": "0",
    "overlap": "skip",
    "max_attempts": "3",
    "strategy": "exponential",
    "base_seconds": "60",
    "max_seconds": "3600",
    "delays_seconds": "60, 300, 900",
    "jitter": "full",
    "timeout_seconds": "300",
    "on_lost": "retry",
    "queue": "default",
    "priority": "normal",
    "versions-TOTAL_FORMS": "0",
    "versions-INITIAL_FORMS": "0",
}


@pytest.fixture
def boss(client: Client) -> User:
    return operators.boss(client)


def page(job: Job) -> str:
    return f"{LIST}{job.pk}/change/"


def add(client: Client, team: Team, **changes: str) -> Any:
    return client.post(f"{LIST}add/", FIELDS | {"team": str(team.pk)} | changes)


def faults(response: Any) -> dict[str, list[str]]:
    errors: dict[str, list[str]] = response.context["adminform"].form.errors
    return dict(errors)


def test_the_form_makes_a_job_with_its_first_version(client: Client, boss: User) -> None:
    schedule = {"schedule_type": "cron", "cron": "0 3 * * *", "timezone": "Europe/Berlin"}

    add(client, boss.teams.get(), tags="night, import", payload='{"a": [1]}', **schedule)

    job = Job.objects.get()
    assert (job.name, job.slug, job.tags) == (
        "Nightly import",
        "nightly-import",
        ["night", "import"],
    )
    version = job.versions.get()
    assert (job.created_by, version.number, version.payload) == (boss, 1, {"a": [1]})
    assert (job.schedule.cron, job.schedule.timezone) == ("0 3 * * *", "Europe/Berlin")
    assert job.schedule.next_fire_at is not None


def test_the_form_takes_an_instant_in_utc(client: Client, boss: User) -> None:
    when = {"schedule_type": "once", "run_at_0": "2040-01-02", "run_at_1": "03:04:05"}

    add(client, boss.teams.get(), **when)

    assert Schedule.objects.get().run_at == datetime(2040, 1, 2, 3, 4, 5, tzinfo=UTC)


def test_each_save_adds_a_version(client: Client, boss: User) -> None:
    add(client, boss.teams.get())
    job = Job.objects.get()

    versions = {"versions-INITIAL_FORMS": "1", "versions-TOTAL_FORMS": "1"}
    versions |= {"versions-0-id": str(job.current_id), "versions-0-job": str(job.pk)}
    client.post(page(job), FIELDS | versions | {"name": "Import", "max_attempts": "5"})

    job.refresh_from_db()
    newest = job.versions.latest("number")
    assert (job.name, job.current, newest.number) == ("Import", newest, 2)
    assert (newest.max_attempts, newest.created_by) == (5, boss)


def test_the_form_shows_the_job_as_it_is(client: Client, boss: User) -> None:
    schedule = {"schedule_type": "interval", "every_seconds": "300"}
    add(client, boss.teams.get(), payload='{"letter": "ü"}', priority="high", **schedule)

    form = client.get(page(Job.objects.get())).context["adminform"].form

    values = {name: form[name].value() for name in form.fields}
    assert values["payload"] == '{\n  "letter": "ü"\n}'
    assert (values["every_seconds"], values["priority"], values["queue"]) == (
        300,
        "high",
        "default",
    )


def test_the_form_takes_retries_bounds_and_limits(client: Client, boss: User) -> None:
    team = boss.teams.get()
    Limit.objects.create(team=team, name="partner-api", concurrency=1)
    schedule = {"schedule_type": "interval", "every_seconds": "300", "jitter_seconds": "60"}
    schedule |= {"ends_at_0": "2040-01-02", "ends_at_1": "00:00:00", "max_executions": "9"}
    retry = {"strategy": "ladder", "delays_seconds": "5, 0.5", "retry_on": "timeout, 503"}

    add(client, team, limit="partner-api", concurrency="2", **schedule, **retry)

    job = Job.objects.get()
    version = job.versions.get()
    assert (version.limit and version.limit.name, version.concurrency) == ("partner-api", 2)
    assert (version.retry_delays, version.retry_on) == ([5, 0.5], ["timeout", "503"])
    assert (job.schedule.max_executions, job.schedule.jitter_seconds) == (9, 60)
    assert job.schedule.ends_at == datetime(2040, 1, 2, tzinfo=UTC)
    form = client.get(page(job)).context["adminform"].form
    shown = {name: form[name].value() for name in form.fields}
    assert (shown["delays_seconds"], shown["retry_on"]) == ("5, 0.5", "timeout, 503")
    assert (shown["limit"], shown["max_executions"]) == ("partner-api", 9)


def test_what_is_emptied_is_gone(client: Client, boss: User) -> None:
    team = boss.teams.get()
    cron = {"schedule_type": "cron", "cron": "0 3 * * *"}
    add(client, team, payload='{"a": 1}', concurrency="2", max_executions="9", **cron)
    job = Job.objects.get()

    save(client, job, **cron)

    job = Job.objects.get()
    assert job.current
    assert (job.current.payload, job.current.concurrency) == ({}, None)
    assert job.schedule.max_executions is None


def test_a_past_instant_that_nobody_touches_may_stay(client: Client, boss: User) -> None:
    add(client, boss.teams.get(), schedule_type="once")  # at once, with microseconds
    job, before = Job.objects.get(), Schedule.objects.get().run_at
    assert before
    past = before - timedelta(days=1)
    Schedule.objects.update(run_at=past)

    when = {"run_at_0": f"{past:%Y-%m-%d}", "run_at_1": f"{past:%H:%M:%S}"}
    save(client, job, schedule_type="once", name="Renamed", **when)

    job = Job.objects.get()
    assert (job.name, job.schedule.run_at) == ("Renamed", past)


def save(client: Client, job: Job, **changes: str) -> None:
    versions = {"versions-INITIAL_FORMS": "1", "versions-TOTAL_FORMS": "1"}
    versions |= {"versions-0-id": str(job.current_id), "versions-0-job": str(job.pk)}
    response = client.post(page(job), FIELDS | versions | changes)
    assert response.status_code == 302, faults(response)


def test_an_unknown_limit_is_told_with_those_there_are(client: Client, boss: User) -> None:
    team = boss.teams.get()
    Limit.objects.create(team=team, name="partner-api", concurrency=1)

    response = add(client, team, limit="partner")

    assert faults(response)["limit"] == ["The team has no such limit. There is partner-api."]


def test_few_fields_come_first_and_the_others_are_folded_away(client: Client, boss: User) -> None:
    fieldsets = client.get(f"{LIST}add/").context["adminform"]

    folded = {fieldset.name: fieldset.is_collapsible for fieldset in fieldsets}
    assert [name for name, is_folded in folded.items() if not is_folded] == [
        None,
        "Schedule",
        "Attempts",
    ]
    assert len(folded) == 7


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"schedule_type": "cron", "cron": "61 * * * *"}, "cron"),
        ({"schedule_type": "cron"}, "cron"),
        ({"schedule_type": "cron", "cron": "0 3 * * *", "timezone": "Moon/Base"}, "timezone"),
        ({"schedule_type": "interval", "every_seconds": "0"}, "every_seconds"),
        ({"schedule_type": "once", "run_at_0": "2001-01-01", "run_at_1": "00:00:00"}, "run_at"),
        ({"kind": "http", "payload": '{"url": "ftp://example.org"}'}, "payload"),
        ({"kind": "python", "payload": '{"function": "os.system"}'}, "payload"),
        ({"payload": "{"}, "payload"),
        ({"payload": "[" * 100_000}, "payload"),
        ({"payload": '{"a": NaN}'}, "payload"),
        ({"payload": "[]"}, "payload"),
        ({"max_attempts": "0"}, "max_attempts"),
        ({"base_seconds": "nan"}, "base_seconds"),
        ({"max_seconds": "1"}, "max_seconds"),
        ({"strategy": "ladder", "delays_seconds": "5, soon"}, "delays_seconds"),
        ({"strategy": "ladder", "delays_seconds": "5, -1"}, "delays_seconds"),
        ({"retry_on": "timeot"}, "retry_on"),
        ({"concurrency": "0"}, "concurrency"),
        ({"start_deadline_seconds": "0"}, "start_deadline_seconds"),
        ({"catch_up_max": "0"}, "catch_up_max"),
        (
            {"schedule_type": "interval", "every_seconds": "60", "jitter_seconds": "60"},
            "jitter_seconds",
        ),
        (
            {
                "schedule_type": "interval",
                "every_seconds": "60",
                "ends_at_0": "2001-01-01",
                "ends_at_1": "00:00:00",
            },
            "ends_at",
        ),
        ({"timeout_seconds": "1e308"}, "timeout_seconds"),
        ({"queue": "no-such-queue"}, "queue"),
        ({"tags": "a, a"}, "tags"),
        ({"name": "\u202eevil"}, "name"),
        ({"name": ""}, "name"),
    ],
)
def test_a_fault_is_shown_at_its_field_and_nothing_is_saved(
    client: Client, boss: User, changes: dict[str, str], field: str
) -> None:
    response = add(client, boss.teams.get(), **changes)

    assert [*faults(response)] == [field]
    assert not Job.objects.exists()


def test_a_fault_deep_in_the_payload_says_where(client: Client, boss: User) -> None:
    response = add(
        client,
        boss.teams.get(),
        kind="http",
        payload='{"url": "https://example.org", "method": "FOO"}',
    )

    assert faults(response)["payload"][0].startswith("method: ")


def test_a_team_that_is_none_is_a_fault(client: Client, boss: User) -> None:
    response = client.post(f"{LIST}add/", FIELDS | {"team": "nonsense"})

    assert [*faults(response)] == ["team"]


def test_an_archived_job_can_be_read_but_not_written(client: Client, boss: User) -> None:
    job = JobFactory.create(archived_at=NOON)

    assert "&quot;kind&quot;: &quot;noop&quot;" in client.get(page(job)).content.decode()
    assert client.post(page(job), FIELDS).status_code == 403


def test_staff_write_jobs_only_where_their_role_allows_it(client: Client) -> None:
    team = operators.staff(
        client, Role.OPERATOR, "view_job", "add_job", "change_job", "view_team"
    ).team
    job = JobFactory.create(team=team)

    response = add(client, team)

    assert [*faults(response)] == ["team"]
    assert client.post(page(job), FIELDS).status_code == 403
    assert client.get(page(job)).status_code == 200


def test_staff_cannot_put_a_job_into_a_foreign_team(client: Client) -> None:
    operators.staff(client, Role.EDITOR, "view_job", "add_job", "change_job", "view_team")

    response = add(client, TeamFactory.create())

    assert [*faults(response)] == ["team"]

"""Creating and reading jobs over the API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from jobs.models import Job
from jobs.tests.calls import EVERY_MINUTE, JOBS, create
from jobs.tests.spelled import CANONICAL, FLAT, NESTED
from tests.factories import QueueFactory

if TYPE_CHECKING:
    from rest_framework.test import APIClient

    from accounts.models import Team, User

pytestmark = pytest.mark.django_db

# --- create --------------------------------------------------------------------------------------


def test_the_flat_body_is_accepted_as_it_stands(api: APIClient) -> None:
    answer = api.post(JOBS, FLAT)
    job = answer.json()
    assert answer.status_code == 201
    assert answer["Location"].endswith(f"{JOBS}/{job['id']}")
    assert (job["slug"], job["kind"], job["status"]) == ("weekly-newsletter", "noop", "active")
    assert job["payload"] == {"template": "weekly_digest"}
    assert job["schedule"] == {"type": "cron", "cron": "0 9 * * 1", "timezone": "UTC"}
    assert job["next_run_at"] == job["next_runs"][0] == "2027-06-21T09:00:00Z"
    assert job["next_runs"][-1] == "2027-07-19T09:00:00Z"
    assert [(one["pointer"], one["code"]) for one in job["warnings"]] == [("/kind", "kind_missing")]


def test_the_nested_body_is_accepted_as_it_stands(api: APIClient) -> None:
    answer = api.post(JOBS, NESTED)
    job = answer.json()
    assert answer.status_code == 201
    assert job["kind"] == "http"
    assert job["payload"]["url"] == "https://example.org/get"
    assert job["schedule"] == {"type": "once", "run_at": "2027-12-25T10:00:00Z"}
    assert job["retry"] == {
        "max_attempts": 3,
        "strategy": "exponential",
        "base_seconds": 60,
        "max_seconds": 3600,
    }
    assert job["next_runs"] == ["2027-12-25T10:00:00Z"]
    assert job["warnings"] == []


def test_the_canonical_body_comes_back_as_it_was_sent(api: APIClient) -> None:
    job = create(api, **CANONICAL)
    assert {name: job[name] for name in CANONICAL} == CANONICAL
    assert set(job["links"]) >= {"self", "execute", "executions", "pause", "resume", "next_runs"}


def test_a_job_belongs_to_the_team_of_its_author(api: APIClient, user: User, team: Team) -> None:
    job = Job.objects.get(pk=create(api)["id"])
    assert (job.team, job.created_by) == (team, user)


@pytest.mark.parametrize(
    ("schedule", "runs"),
    [
        ({"schedule_type": "immediate"}, ["2027-06-15T12:00:00Z"]),
        ({"schedule": {"type": "IMMEDIATE"}}, ["2027-06-15T12:00:00Z"]),
        ({"schedule": {"type": "once", "run_at": "2027-06-15T11:59:30Z"}},
         ["2027-06-15T11:59:30Z"]),
        ({"schedule": {"type": "once", "run_at": "2027-06-15T16:00:00+03:30"}},
         ["2027-06-15T12:30:00Z"]),
        ({"schedule": {"type": "once", "run_at": "9998-12-31T23:59:59Z"}},
         ["9998-12-31T23:59:59Z"]),
        ({"interval_seconds": 1, "schedule_type": "interval"},
         [f"2027-06-15T12:00:0{n}Z" for n in range(1, 6)]),
        ({"schedule": {"type": "HOURLY", "timezone": "Asia/Kolkata"}},
         [f"2027-06-15T{hour}:30:00Z" for hour in range(12, 17)]),
        ({"schedule": {"type": "CRON", "cronExpr": "0 0 12 * * ?"}},
         [f"2027-06-{day}T12:00:00Z" for day in range(16, 21)]),
        ({"schedule": {"type": "manual"}}, []),
        ({"status": "paused", "interval_seconds": 60}, []),
        ({}, []),
    ],
)  # fmt: skip
def test_the_answer_to_a_create_lists_the_next_runs(
    api: APIClient, schedule: dict[str, Any], runs: list[str]
) -> None:
    job = create(api, **schedule)
    assert job["next_runs"] == runs
    assert job["next_run_at"] == (runs[0] if runs else None)


@pytest.mark.parametrize(
    ("schedule", "pointer", "code"),
    [
        ({"type": "once"}, "/schedule/run_at", "runs_at_once"),
        ({"type": "interval", "every_seconds": 9, "timezone": "Asia/Tokyo"},
         "/schedule/timezone", "timezone_unused"),
    ],
)  # fmt: skip
def test_what_its_author_may_not_mean_is_a_warning(
    api: APIClient, schedule: dict[str, Any], pointer: str, code: str
) -> None:
    (warning,) = create(api, kind="noop", schedule=schedule)["warnings"]
    assert (warning["pointer"], warning["code"]) == (pointer, code)


def test_the_longest_delay_grows_with_the_first(api: APIClient) -> None:
    assert create(api, retry={"base_seconds": 7200})["retry"]["max_seconds"] == 7200


def test_a_job_may_name_any_queue_that_there_is(api: APIClient) -> None:
    QueueFactory.create(name="mail")
    assert create(api, policy={"queue": "mail"})["policy"]["queue"] == "mail"


def test_the_beats_are_woken_after_the_commit(
    api: APIClient, rings: list[str], django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        create(api, schedule=EVERY_MINUTE)
        assert rings == []
    assert rings == ["ring"]


def test_a_create_takes_few_queries(api: APIClient) -> None:
    create(api)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        create(api, name="Another", schedule=EVERY_MINUTE)
    assert len(queries) <= 9, [query["sql"][:80] for query in queries]


# --- read ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize("key", ["id", "slug"])
def test_a_job_is_found_by_its_id_or_slug(api: APIClient, key: str, slash: str) -> None:
    job = create(api)
    found = api.get(f"{JOBS}/{job[key]}{slash}").json()
    assert found == {name: job[name] for name in job if name not in ("next_runs", "warnings")}


@pytest.mark.parametrize(
    "key",
    ["nothing", "0190a2f4-0000-7000-8000-000000000000", "A", "-", "a.b", "..", "%F0%9F%98%80",
     "x" * 3000],
)  # fmt: skip
@pytest.mark.parametrize("method", ["get", "patch", "delete"])
def test_what_is_not_there_is_a_404(api: APIClient, method: str, key: str) -> None:
    answer = getattr(api, method)(f"{JOBS}/{key}")
    assert answer.status_code == 404
    assert answer.json()["code"] in ("not_found", "nul_character")


def test_the_runs_of_a_job_are_told_in_two_zones(api: APIClient) -> None:
    create(api, schedule={"type": "cron", "cron": "30 2 * * *", "timezone": "Europe/Berlin"})
    shown = api.get(f"{JOBS}/report/next-runs?count=2").json()
    assert shown["next_runs"] == [
        {"at": "2027-06-16T00:30:00Z", "local": "2027-06-16T02:30:00+02:00"},
        {"at": "2027-06-17T00:30:00Z", "local": "2027-06-17T02:30:00+02:00"},
    ]
    assert shown["timezone"] == "Europe/Berlin"
    assert shown["dialect"] == "unix"
    assert len(shown["notes"]) == 2, "both clock changes of the coming year hit half past two"

"""Changing, pausing, archiving and restoring jobs over the API."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from jobs.models import Job, JobVersion, Schedule
from jobs.tests.calls import EVERY_MINUTE, JOBS, change, create
from jobs.tests.spelled import CANONICAL, FLAT, NESTED
from tests.factories import NOON, JobFactory, ScheduleFactory

if TYPE_CHECKING:
    from rest_framework.test import APIClient

    from accounts.models import Team, User

pytestmark = pytest.mark.django_db

# --- change --------------------------------------------------------------------------------------


def test_a_patch_keeps_what_it_does_not_name(api: APIClient) -> None:
    before = create(api, **CANONICAL | {"slug": "report"})
    after = change(api, {"retry": {"max_attempts": 5}, "payload": {"method": "GET"}})

    expected = {
        **{name: before[name] for name in CANONICAL},
        "retry": before["retry"] | {"max_attempts": 5},
        "payload": before["payload"] | {"method": "GET"},
    }
    assert {name: after[name] for name in CANONICAL} == expected
    assert (before["version"], after["version"]) == (1, 2)


@pytest.mark.parametrize(
    ("body", "schedule"),
    [
        ({"schedule": {"timezone": "Asia/Tokyo"}},
         {"type": "cron", "cron": "0 12 * * *", "timezone": "Asia/Tokyo"}),
        ({"cron_expression": "5 5 * * *"},
         {"type": "cron", "cron": "5 5 * * *", "timezone": "Europe/Berlin"}),
        ({"schedule": {"type": "HOURLY"}},
         {"type": "cron", "cron": "0 * * * *", "timezone": "Europe/Berlin"}),
        ({"interval_seconds": 60},
         {"type": "interval", "every_seconds": 60, "anchor": "2027-06-15T12:00:00Z"}),
        ({"schedule_type": "immediate"}, {"type": "once", "run_at": "2027-06-15T12:00:00Z"}),
        ({"schedule": {"type": "manual"}}, {"type": "manual"}),
    ],
)  # fmt: skip
def test_a_patch_of_a_schedule(
    api: APIClient, body: dict[str, Any], schedule: dict[str, Any]
) -> None:
    create(api, schedule={"type": "cron", "cron": "0 12 * * *", "timezone": "Europe/Berlin"})
    assert change(api, body)["schedule"] == schedule


def test_a_new_kind_takes_none_of_the_old_payload(api: APIClient) -> None:
    create(api, payload={"a": 1})
    after = change(api, {"kind": "http", "payload": {"httpUrl": "https://example.org"}})
    assert "a" not in after["payload"]
    assert after["payload"]["url"] == "https://example.org"


def test_the_http_names_change_the_payload_of_an_http_job(api: APIClient) -> None:
    create(api, kind="http", payload={"url": "https://example.org", "method": "POST"})
    after = change(api, {"payload": {"httpUrl": "https://example.com"}})
    assert (after["payload"]["url"], after["payload"]["method"]) == ("https://example.com", "POST")


def test_a_patch_that_changes_nothing_makes_no_version(api: APIClient) -> None:
    create(api, schedule=EVERY_MINUTE)
    assert change(api, {"name": "Report", "interval_seconds": 60})["version"] == 1
    assert change(api, {})["version"] == 1


def test_what_is_got_can_be_put(api: APIClient) -> None:
    before = create(api, **NESTED)
    Schedule.objects.update(run_at=NOON - timedelta(days=1), next_fire_at=None)  # it ran
    got = api.get(f"{JOBS}/{before['slug']}").json()
    body = {name: got[name] for name in CANONICAL}

    answer = api.put(f"{JOBS}/{before['slug']}", body)

    assert answer.status_code == 200, answer.json()
    assert answer.json()["version"] == 1
    assert Schedule.objects.get().next_fire_at is None, "an edit does not run it again"


def test_a_put_resets_what_it_leaves_out_but_slug_and_status(api: APIClient) -> None:
    create(api, **CANONICAL | {"slug": "mine", "status": "paused"})
    answer = api.put(f"{JOBS}/mine", {"name": "Other", "retry": {"max_attempts": 7}})
    job = answer.json()
    assert answer.status_code == 200
    assert (job["slug"], job["status"], job["name"]) == ("mine", "paused", "Other")
    assert (job["kind"], job["payload"], job["tags"]) == ("noop", {}, [])
    assert job["schedule"] == {"type": "manual"}
    assert job["retry"] == CANONICAL["retry"] | {"max_attempts": 7}


def test_a_change_in_vain_is_rehearsed(api: APIClient, rings: list[str]) -> None:
    create(api, schedule=EVERY_MINUTE)
    answer = api.patch(f"{JOBS}/report?dry_run=true", {"interval_seconds": 3600})
    assert answer.status_code == 200
    assert answer.json()["next_runs"][0] == "2027-06-15T13:00:00Z"
    assert Schedule.objects.get().every_seconds == 60
    assert JobVersion.objects.count() == 1


def test_a_create_can_be_rehearsed(api: APIClient) -> None:
    answer = api.post(f"{JOBS}?dry_run=true", FLAT)
    assert answer.status_code == 200
    assert "Location" not in answer
    assert answer.json()["next_runs"]
    assert not Job.objects.exists()


# --- pause, resume, archive, restore -------------------------------------------------------------


def test_pause_and_resume_may_be_repeated(api: APIClient) -> None:
    create(api, schedule=EVERY_MINUTE)
    for _ in range(2):
        paused = api.post(f"{JOBS}/report/pause", {"reason": "noisy"})
        assert paused.status_code == 200
        assert paused.json()["status"] == "paused"
        assert paused.json()["paused_reason"] == "noisy"
        assert paused.json()["next_run_at"] is None
    for _ in range(2):
        resumed = api.post(f"{JOBS}/report/resume", {"missed": "all"})
        assert resumed.status_code == 200
        assert resumed.json()["status"] == "active"
        assert resumed.json()["next_run_at"] == "2027-06-15T12:01:00Z"


def test_pause_and_resume_need_no_body(api: APIClient) -> None:
    create(api)
    assert api.post(f"{JOBS}/report/pause").json()["status"] == "paused"
    assert api.post(f"{JOBS}/report/resume/").json()["status"] == "active"


@pytest.mark.parametrize("status", ["paused", "PAUSED"])
def test_a_patch_of_the_status_pauses(api: APIClient, status: str) -> None:
    create(api)
    assert change(api, {"status": status})["status"] == "paused"
    assert change(api, {"status": "active"})["status"] == "active"


def test_deleting_archives_and_restoring_brings_back(api: APIClient) -> None:
    job = create(api, schedule=EVERY_MINUTE)
    for _ in range(2):
        assert api.delete(f"{JOBS}/{job['id']}").status_code == 204
    assert api.get(f"{JOBS}/report").status_code == 404, "the slug is free"
    assert api.get(JOBS).json()["count"] == 0
    assert api.get(f"{JOBS}/{job['id']}").json()["status"] == "archived"

    back = api.post(f"{JOBS}/{job['id']}/restore")
    assert (back.status_code, back.json()["status"]) == (200, "active")
    assert api.get(f"{JOBS}/report").status_code == 200


@pytest.mark.parametrize(
    ("method", "path"), [("patch", ""), ("put", ""), ("post", "/pause"), ("post", "/resume")]
)
def test_an_archived_job_says_what_it_allows(api: APIClient, method: str, path: str) -> None:
    job = create(api)
    api.delete(f"{JOBS}/report")
    body = {} if path else {"name": "Other"}
    answer = getattr(api, method)(f"{JOBS}/{job['id']}{path}", body)
    assert answer.status_code == 409
    problem = answer.json()
    assert (problem["code"], problem["current_status"]) == ("job_archived", "archived")
    assert problem["allowed_actions"] == ["restore"]


def test_a_job_archived_long_ago_stays_so(api: APIClient, team: Team) -> None:
    job = JobFactory.create(team=team, archived_at=NOON - timedelta(days=31))
    answer = api.post(f"{JOBS}/{job.pk}/restore")
    assert (answer.status_code, answer.json()["code"]) == (409, "restore_expired")


def test_a_slug_belongs_to_one_job(api: APIClient) -> None:
    first = create(api)
    assert create(api)["slug"] == "report-2"
    for answer in (
        api.post(JOBS, {"name": "x", "slug": "report"}),
        api.patch(f"{JOBS}/report-2", {"slug": "report"}),
    ):
        assert (answer.status_code, answer.json()["code"]) == (409, "slug_taken")
    api.delete(f"{JOBS}/report")
    create(api)
    assert api.post(f"{JOBS}/{first['id']}/restore").status_code == 409
    assert Job.objects.count() == 3


def test_a_slot_due_in_this_moment_survives_a_rename(api: APIClient, team: Team) -> None:
    job = ScheduleFactory.create(job__team=team, next_fire_at=NOON).job
    change(api, {"name": "Other"}, slug=job.slug)
    assert Schedule.objects.due(NOON).count() == 1


def test_a_pause_says_who_why_and_until_when(api: APIClient, user: User) -> None:
    create(api)

    until = {"reason": "partner is down", "until": "2027-06-16T00:00:00Z"}
    paused = api.post(f"{JOBS}/report/pause", until).json()
    assert (paused["status"], paused["paused_at"]) == ("paused", "2027-06-15T12:00:00Z")
    assert (paused["paused_reason"], paused["paused_until"]) == (*until.values(),)
    assert paused["paused_by"] == user.email

    again = api.post(f"{JOBS}/report/pause", {"until": None}).json()
    assert again == paused, "repeating it changes nothing"
    resumed = api.post(f"{JOBS}/report/resume", {"missed": "all"}).json()
    assert (resumed["status"], resumed["paused_at"], resumed["paused_until"]) == (
        *("active", None, None),
    )
    assert (resumed["paused_reason"], resumed["paused_by"]) == ("", "")

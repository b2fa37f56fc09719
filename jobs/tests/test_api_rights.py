"""Who may do what with which job: every endpoint, every role, own and foreign."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from rest_framework.test import APIClient

from accounts.models import Membership
from accounts.roles import Role
from jobs.models import Job, JobVersion
from jobs.tests.calls import JOBS, client_of
from tests.factories import JobFactory, TeamFactory, UserFactory

if TYPE_CHECKING:
    from accounts.models import Team, User

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("rings")]

PREVIEW = "/api/v1/schedules/preview"
BODY = {"name": "Report"}
EVERY_HOUR = {"type": "HOURLY"}

# What is called, and the least role that may.
ENDPOINTS: list[tuple[str, str, dict[str, Any] | None, Role]] = [
    ("get", JOBS, None, Role.VIEWER),
    ("post", JOBS, BODY, Role.EDITOR),
    ("post", f"{JOBS}?dry_run=true", BODY, Role.EDITOR),
    ("get", f"{JOBS}/{{job}}", None, Role.VIEWER),
    ("put", f"{JOBS}/{{job}}", BODY, Role.EDITOR),
    ("patch", f"{JOBS}/{{job}}", BODY, Role.EDITOR),
    ("patch", f"{JOBS}/{{job}}", {"status": "paused"}, Role.EDITOR),
    ("delete", f"{JOBS}/{{job}}", None, Role.EDITOR),
    ("post", f"{JOBS}/{{job}}/restore", None, Role.EDITOR),
    ("post", f"{JOBS}/{{job}}/pause", None, Role.OPERATOR),
    ("post", f"{JOBS}/{{job}}/resume", None, Role.OPERATOR),
    ("get", f"{JOBS}/{{job}}/next-runs", None, Role.VIEWER),
    ("post", PREVIEW, EVERY_HOUR, Role.VIEWER),
]
ON_ONE_JOB = [endpoint for endpoint in ENDPOINTS if "{job}" in endpoint[1]]
RANK = list(Role)


def call(api: APIClient, method: str, path: str, *, job: Job, body: Any) -> Any:
    return getattr(api, method)(path.format(job=job.pk), body)


def state() -> tuple[Any, ...]:
    jobs = Job.objects.order_by("pk").values_list("name", "paused_at", "archived_at")
    return (list(jobs), JobVersion.objects.count())


@pytest.mark.parametrize("role", RANK)
@pytest.mark.parametrize(("method", "path", "body", "least"), ENDPOINTS)
def test_each_role_may_what_it_should(
    user: User, team: Team, role: Role, *, method: str, path: str, body: Any, least: Role
) -> None:
    job = JobFactory.create(team=team)
    before = state()

    answer = call(client_of(user, role), method, path, job=job, body=body)

    if RANK.index(role) >= RANK.index(least):
        assert answer.status_code in (200, 201, 204)
    else:
        assert (answer.status_code, answer.json()["code"]) == (403, "role_too_low")
        assert state() == before


@pytest.mark.parametrize(("method", "path", "body", "least"), ENDPOINTS)
def test_nobody_may_anything(method: str, path: str, body: Any, least: Role) -> None:
    job = JobFactory.create()
    before = state()
    answer = call(APIClient(), method, path, job=job, body=body)
    assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated"), least
    assert answer["WWW-Authenticate"].startswith("Bearer")
    assert state() == before


@pytest.mark.parametrize(
    "header", ["Bearer", "Bearer x", "Bearer a.b.c", "Bearer  ", "Bearer a b", "Bearer \u00e9"]
)
def test_a_broken_token_opens_nothing(header: str) -> None:
    answer = APIClient(headers={"Authorization": header}).post(JOBS, BODY)
    assert (answer.status_code, answer.json()["code"]) == (401, "token_invalid")
    assert not Job.objects.exists()


@pytest.mark.parametrize(("method", "path", "body", "least"), ON_ONE_JOB)
def test_a_foreign_job_looks_like_none(
    user: User, method: str, path: str, body: Any, least: Role
) -> None:
    foreign = JobFactory.create()
    unknown = Job(pk="0190a2f4-0000-7000-8000-000000000000")
    before = state()

    answers = [
        call(client_of(user), method, path, job=job, body=body).json() for job in (foreign, unknown)
    ]

    bare = [
        {k: v for k, v in body.items() if k not in ("instance", "request_id")} for body in answers
    ]
    assert bare[0] == bare[1]
    assert bare[0]["status"] == 404, least
    assert state() == before


def test_a_foreign_job_is_not_found_by_its_slug(api: APIClient) -> None:
    foreign = JobFactory.create()
    assert api.get(f"{JOBS}/{foreign.slug}").status_code == 404
    assert api.get(f"{JOBS}?search={foreign.slug}").json()["count"] == 0


def test_a_slug_means_the_job_of_ones_own_team(api: APIClient, team: Team) -> None:
    JobFactory.create(slug="report", name="Theirs")
    JobFactory.create(slug="report", name="Ours", team=team)
    assert api.get(f"{JOBS}/report").json()["name"] == "Ours"
    assert api.patch(f"{JOBS}/report", {"description": "x"}).status_code == 200
    assert Job.objects.get(name="Theirs").description == ""


def test_a_member_of_no_team_may_nothing(user: User) -> None:
    Membership.objects.filter(user=user).delete()
    answer = client_of(user).get(JOBS)
    assert (answer.status_code, answer.json()["code"]) == (403, "no_team")


@pytest.mark.parametrize("field", ["team", "team_id", "created_by"])
def test_a_job_cannot_be_given_away(api: APIClient, field: str) -> None:
    other = TeamFactory.create() if "team" in field else UserFactory.create()
    api.post(JOBS, BODY)
    for answer in (
        api.post(JOBS, BODY | {field: str(other.pk)}),
        api.patch(f"{JOBS}/report", {field: str(other.pk)}),
    ):
        assert (answer.status_code, answer.json()["code"]) == (400, "unknown_field")
    assert not Job.objects.filter(team=other.pk).exists()


def test_a_session_needs_its_cross_site_token(user: User) -> None:
    browser = APIClient(enforce_csrf_checks=True)
    browser.force_login(user)
    answer = browser.post(JOBS, BODY)
    assert (answer.status_code, answer.json()["code"]) == (403, "csrf_failed")
    assert not Job.objects.exists()


@pytest.mark.parametrize(
    ("method", "path"),
    [("put", JOBS), ("patch", JOBS), ("delete", JOBS), ("get", f"{JOBS}/x/pause"),
     ("post", f"{JOBS}/x/next-runs"), ("get", PREVIEW), ("delete", f"{JOBS}/x/pause")],
)  # fmt: skip
def test_other_methods_are_not_allowed(api: APIClient, method: str, path: str) -> None:
    answer = getattr(api, method)(path)
    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")

"""The URL map: a page for people at every address, with and without a slash at its end."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from executions.models import Execution, Status
from tests.factories import ExecutionFactory, JobFactory, UserFactory

pytestmark = pytest.mark.django_db

READ = [
    "/api/v1",
    "/api/v1/auth/me",
    "/api/v1/jobs",
    "/api/v1/jobs/{job}",
    "/api/v1/jobs/{job}/next-runs",
    "/api/v1/jobs/{job}/executions",
    "/api/v1/executions",
    "/api/v1/executions/{execution}",
    "/api/v1/executions/{execution}/attempts",
    "/api/v1/executions/{execution}/events",
    "/api/v1/executions/{execution}/logs",
    "/api/v1/dashboard/stats",
    "/api/v1/info",
    "/info",
    "/status?key={execution}",
]
WRITE = [
    "/api/v1/auth/login",
    "/api/v1/auth/register",
    "/api/v1/jobs/{job}/execute",
    "/api/v1/jobs/{job}/pause",
    "/api/v1/executions/{execution}/cancel",
    "/api/v1/executions/{execution}/retry",
    "/api/v1/schedules/preview",
    "/run",
]
PAGE = {"Accept": "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"}


@pytest.fixture
def ann() -> User:
    user: User = UserFactory.create()
    return user


def address(path: str, ann: User) -> str:
    job = JobFactory.create(team=ann.personal_team, slug="one")
    execution = ExecutionFactory.create(job=job, status=Status.FAILED, message="<b>bold</b>")
    return path.format(job=job.slug, execution=execution.pk)


@pytest.mark.parametrize("path", READ)
def test_people_get_a_page_of_every_endpoint(client: Client, ann: User, path: str) -> None:
    client.force_login(ann)

    answer = client.get(address(path, ann), headers=PAGE)

    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/html")
    assert b"<b>bold</b>" not in answer.content


@pytest.mark.parametrize("path", WRITE)
def test_people_get_a_form_where_something_can_only_be_sent(
    client: Client, ann: User, path: str
) -> None:
    client.force_login(ann)

    answer = client.get(address(path, ann), headers=PAGE)

    assert answer.status_code == 405
    assert answer.headers["Content-Type"].startswith("text/html")
    assert b"<form" in answer.content


def test_a_page_s_form_acts_with_the_proof_that_it_is_ours_and_not_without(ann: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(ann)
    path = address("/api/v1/jobs/{job}/execute", ann)
    client.get(path, headers=PAGE)
    proof = client.cookies["csrftoken"].value

    def post(**headers: str) -> Any:
        return client.post(path, {}, content_type="application/json", headers=headers)

    assert post().status_code == 403
    assert Execution.objects.count() == 1
    assert post(**{"X-CSRFToken": proof}).status_code == 202


@pytest.mark.parametrize("path", [*READ, "/health/live", "/metrics", "/api/schema", "/problems"])
def test_a_slash_at_the_end_changes_nothing(client: Client, ann: User, path: str) -> None:
    client.force_login(ann)
    where, _, query = address(path, ann).partition("?")

    answers = [client.get(f"{one}?{query}") for one in [where, f"{where}/"]]

    assert [answer.status_code for answer in answers] == [200, 200]


@pytest.mark.parametrize("path", READ)
def test_every_endpoint_answers_options_and_head(client: Client, ann: User, path: str) -> None:
    client.force_login(ann)
    url = address(path, ann)

    assert client.options(url).status_code == 200
    assert client.head(url).status_code == 200

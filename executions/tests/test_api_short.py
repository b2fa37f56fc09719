"""The short forms at the root."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from accounts.roles import Role
from executions import builtin
from executions.models import Execution, Status
from executions.tests.callers import caller
from jobs.models import Job
from tests.factories import NOON, ExecutionFactory

pytestmark = pytest.mark.django_db


def test_an_empty_body_runs_the_builtin_noop() -> None:
    ann = caller()

    answer = ann.client.post("/run")

    assert answer.status_code == 202
    told = answer.json()
    assert told["status_url"] == f"http://testserver/status?key={told['key']}"
    assert Execution.objects.get(pk=told["key"]).job.slug == "noop"


def test_the_same_job_is_used_again_and_takes_an_input() -> None:
    ann = caller()
    ann.client.post("/run")

    ann.client.post("/run", {"kind": "noop", "payload": {"a": 1}})

    assert Job.objects.count() == 1
    assert Execution.objects.latest("pk").payload == {"a": 1}


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"kind": "http"}, "/kind"),
        ({"payload": [1]}, "/payload"),
        ({"job": "x"}, "/job"),
    ],
)
def test_what_it_does_not_know_is_refused(body: Any, pointer: str) -> None:
    answer = caller().client.post("/run", body)

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["pointer"] == pointer
    assert not Job.objects.exists()


def test_a_viewer_runs_nothing_and_an_operator_does() -> None:
    assert caller(Role.VIEWER).client.post("/run").status_code == 403
    assert caller(Role.OPERATOR).client.post("/run").status_code == 202


def test_a_slug_that_is_taken_by_another_kind_is_a_conflict() -> None:
    ann = caller()
    ann.job(slug="noop", kind="python")

    assert ann.client.post("/run").status_code == 409


def test_status_tells_how_it_went() -> None:
    ann = caller()
    execution = ann.execution(status=Status.SUCCEEDED, result={"a": 1})

    told = ann.client.get("/status", {"key": str(execution.pk), "wait": "1"}).json()

    assert told == {
        "key": str(execution.pk),
        "status": "succeeded",
        "finished": True,
        "reason": "",
        "message": "",
        "result": {"a": 1},
        "finished_at": "2027-06-15T12:00:00Z",
    }


@pytest.mark.parametrize("query", [{}, {"key": "x"}, {"key": ""}])
def test_status_needs_a_key(query: dict[str, str]) -> None:
    answer = caller().client.get("/status", query)

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["parameter"] == "key"


def test_another_team_s_key_is_a_404() -> None:
    foreign = ExecutionFactory.create()

    assert caller().client.get("/status", {"key": str(foreign.pk)}).status_code == 404


def test_nobody_in_particular_may_run_nothing(client: Client) -> None:
    assert client.post("/run").status_code == 401
    assert client.get("/status", {"key": str(ExecutionFactory.create().pk)}).status_code == 401


def test_where_the_setting_allows_it_nobody_in_particular_has_a_team_of_its_own(
    client: Client, settings: Settings
) -> None:
    settings.CHRONOS_ANONYMOUS_RUN = True
    ann = caller().execution(status=Status.SUCCEEDED, finished_at=NOON)

    told = client.post("/run", {}, content_type="application/json").json()

    assert Execution.objects.get(pk=told["key"]).team_id == builtin.ANONYMOUS_TEAM
    assert client.get(told["status_url"]).json()["status"] == "queued"
    assert client.get("/status", {"key": str(ann.pk)}).status_code == 404


def test_info_says_what_this_is(client: Client) -> None:
    told = client.get("/info/").json()

    assert told["name"] == "Chronos"
    assert told["links"]["api"] == "http://testserver/api/v1"
    for link in told["links"].values():
        assert client.get(link).status_code in {200, 302, 503}

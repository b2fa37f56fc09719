"""Who may do what: every endpoint, every role."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.roles import Role
from executions.api.urls import urlpatterns
from executions.models import Execution, Status
from executions.tests.callers import API, Caller, caller
from tests.factories import RedriveFactory

pytestmark = pytest.mark.django_db

READ = {
    "executions",
    "executions/{execution}",
    "executions/{execution}/attempts",
    "executions/{execution}/events",
    "executions/{execution}/explain",
    "executions/{execution}/logs",
    "jobs/{job}/executions",
    "jobs/{job}/explain?at=2027-06-15T12:00:00Z",
    "dead-letters",
    "failures",
    "failures/{cause}",
    "redrives/{redrive}",
    "dashboard/stats",
}
ACT = {
    "executions/{execution}/cancel": 200,
    "executions/{dead}/retry": 202,
    "dead-letters/{redriven}/redrive": 202,
    "dead-letters/{resolved}/resolve": 200,
    "failures/{cause}/redrive": 202,
    "failures/{cause}/resolve": 200,
    "redrives/{redrive}/stop": 200,
    "jobs/{job}/execute": 202,
    "jobs/{job}/executions": 202,
}
BODIES: dict[str, Any] = {"jobs/{job}/executions": [{}]}
CAUSE = "c" * 32


def methods(path: str) -> set[str]:
    allowed = {"get": path in READ, "post": path in ACT}
    return {method for method, is_allowed in allowed.items() if is_allowed}


def paths(ann: Caller) -> dict[str, str]:
    execution = ann.execution()
    keys = {"execution": execution.pk, "job": execution.job_id, "cause": CAUSE}
    for name in ("dead", "redriven", "resolved", "of_cause"):
        cause = CAUSE if name == "of_cause" else ""
        row = ann.execution(job=execution.job, status=Status.FAILED, fingerprint=cause)
        keys[name] = row.pk
    keys["redrive"] = RedriveFactory.create(team=ann.team).pk
    return {path: f"{API}/{path.format(**keys)}" for path in [*READ, *ACT]}


def test_every_endpoint_is_in_this_matrix() -> None:
    assert len(urlpatterns) == len(READ | ACT.keys())


@pytest.mark.parametrize("role", list(Role))
def test_every_member_reads(role: Role) -> None:
    ann = caller(role)

    answers = {path: ann.client.get(url) for path, url in paths(ann).items() if path in READ}

    assert {path: answer.status_code for path, answer in answers.items()} == dict.fromkeys(
        READ, 200
    )


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.EDITOR, Role.ADMIN])
def test_operators_and_above_act(role: Role) -> None:
    ann = caller(role)
    found = paths(ann)

    assert {path: ann.client.post(found[path], BODIES.get(path)).status_code for path in ACT} == ACT


def test_a_viewer_acts_on_nothing() -> None:
    ann = caller(Role.VIEWER)
    found = paths(ann)

    answers = {path: ann.client.post(found[path]) for path in ACT}

    assert {answer.status_code for answer in answers.values()} == {403}
    assert {answer.json()["code"] for answer in answers.values()} == {"role_too_low"}
    assert Execution.objects.filter(status=Status.CANCELLED).count() == 0
    assert Execution.objects.count() == 5
    assert not Execution.objects.filter(resolved_at__isnull=False).exists()


def test_a_viewer_is_told_of_no_action() -> None:
    ann = caller(Role.VIEWER)
    execution = ann.execution()

    assert ann.client.get(f"{API}/executions/{execution.pk}").json()["allowed_actions"] == []
    assert ann.client.get(f"{API}/executions").json()["results"][0]["allowed_actions"] == []


def test_what_belongs_to_another_team_does_not_exist() -> None:
    bob, found = caller(), paths(caller())
    of_one = {path: url for path, url in found.items() if "{" in path}

    answers = {
        (path, method): getattr(bob.client, method)(url).status_code
        for path, url in of_one.items()
        for method in methods(path)
    }

    assert set(answers.values()) == {404}
    assert Execution.objects.filter(status=Status.CANCELLED).count() == 0


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer nonsense"}])
def test_nobody_in_particular_is_asked_who_they_are(headers: dict[str, str]) -> None:
    stranger = APIClient(headers=headers)

    for path, url in paths(caller()).items():
        for method in methods(path):
            answer: Any = getattr(stranger, method)(url)
            assert answer.status_code == 401, path
            assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_no_endpoint_takes_another_method() -> None:
    ann = caller()

    for path, url in paths(ann).items():
        for method in {"get", "post", "put", "patch", "delete"} - methods(path):
            assert getattr(ann.client, method)(url).status_code == 405, (method, path)

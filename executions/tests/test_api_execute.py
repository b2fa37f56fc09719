"""Starting a job by hand."""

from __future__ import annotations

from typing import Any

import pytest

from executions.models import Execution, Origin, Status
from executions.tests.callers import API, Caller, caller
from jobs.models import Job
from jobs.policies import Priority
from tests.factories import NOON, JobFactory

pytestmark = pytest.mark.django_db


def execute(ann: Caller, job: Job, body: Any = None, *, key: str = "") -> Any:
    return ann.client.post(f"{API}/jobs/{key or job.pk}/execute", body)


def test_without_a_body_the_job_runs_now_with_its_own_input() -> None:
    ann = caller()
    job = ann.job(version__payload={"a": 1})

    answer = execute(ann, job)

    assert answer.status_code == 202
    told = answer.json()
    assert answer.headers["Location"] == f"http://testserver{API}/executions/{told['id']}"
    assert (told["status"], told["origin"], told["payload"]) == ("queued", "manual", {"a": 1})
    assert ann.client.get(answer.headers["Location"]).json()["id"] == told["id"]


def test_the_body_chooses_input_instant_priority_and_reason() -> None:
    ann = caller()
    body = {
        "payload": {"b": 2},
        "run_at": "2099-12-25T11:00:00+01:00",
        "priority": "critical",
        "reason": "the mail was empty",
    }

    told = execute(ann, ann.job(), body).json()

    execution = Execution.objects.get(pk=told["id"])
    assert (execution.payload, execution.priority) == ({"b": 2}, Priority.CRITICAL)
    assert told["due_at"] == "2099-12-25T10:00:00Z"
    assert told["waiting_on"]["code"] == "not_due"
    assert told["events"][0]["detail"] == {"reason": "the mail was empty"}
    assert told["events"][0]["actor"] == ann.user.email


def test_a_job_is_found_by_its_slug() -> None:
    ann = caller()
    job = ann.job(slug="daily-report")

    told = execute(ann, job, key="daily-report").json()

    assert told["job"]["id"] == str(job.pk)


@pytest.mark.django_db(transaction=True)
def test_it_is_queued_by_the_time_it_is_answered() -> None:
    ann = caller()

    told = execute(ann, ann.job()).json()

    assert told["status"] == Status.QUEUED
    assert Execution.objects.get().origin == Origin.MANUAL


@pytest.mark.parametrize("body", [{}, {"run_at": "2099-01-01T00:00:00Z"}, {"priority": "bulk"}])
def test_the_answer_is_what_reading_it_would_say(body: Any) -> None:
    ann = caller()

    told = execute(ann, ann.job(version__payload={"a": 1}), body).json()

    read = ann.client.get(f"{API}/executions/{told['id']}").json()
    moving = {"lateness_seconds"}
    assert {k: v for k, v in told.items() if k not in moving} == {
        k: v for k, v in read.items() if k not in moving
    }


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({"payload": []}, {"/payload"}),
        ({"payload": "x"}, {"/payload"}),
        ({"run_at": "2099-12-25T10:00:00"}, {"/run_at"}),
        ({"run_at": "2020-12-25T10:00:00Z"}, {"/run_at"}),
        ({"run_at": "9999-12-31T23:59:59Z"}, {"/run_at"}),
        ({"run_at": "9999-12-31T23:59:59-23:59"}, {"/run_at"}),
        ({"run_at": "2099-02-30T10:00:00Z"}, {"/run_at"}),
        ({"run_at": 4_000_000_000}, {"/run_at"}),
        ({"priority": "urgent"}, {"/priority"}),
        ({"priority": 1}, {"/priority"}),
        ({"reason": "a\nb"}, {"/reason"}),
        ({"reason": "x" * 201}, {"/reason"}),
        ({"reason": 5}, {"/reason"}),
        ({"team": "x", "status": "succeeded"}, {"/team", "/status"}),
        ({"priority": "urgent", "run_at": "soon"}, {"/priority", "/run_at"}),
        ([1], {""}),
        ("text", {""}),
    ],
)
def test_all_faults_of_a_body_are_named_at_once(body: Any, pointers: set[str]) -> None:
    ann = caller()

    answer = execute(ann, ann.job(), body)

    assert answer.status_code == 400
    assert {error["pointer"] for error in answer.json()["errors"]} == pointers
    assert not Execution.objects.exists()


def test_the_input_must_be_valid_for_the_kind() -> None:
    ann = caller()
    body = {"payload": {"url": "http://127.0.0.1/", "method": "TRACE", "extra": 1}}

    answer = execute(ann, ann.job(kind="http"), body)

    assert answer.status_code == 400
    assert {error["pointer"] for error in answer.json()["errors"]} == {
        "/payload/url",
        "/payload/method",
        "/payload/extra",
    }
    assert not Execution.objects.exists()


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 400),
        (b'{"payload": {}} {}', 400),
        (b'\xef\xbb\xbf{"payload": {}}', 400),
        (b'{"payload": {"a": NaN}}', 400),
        (b'{"payload": {"a": 1e400}}', 400),
        (b'{"payload": {"a": 9223372036854775808}}', 400),
        (b'{"payload": {"a": "\\u0000"}}', 400),
        (b'{"payload": {"a": "\\ud800"}}', 400),
        (b'{"reason": "a", "reason": "b"}', 400),
        (b'{"payload": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", 400),
        (b'{"payload": {"a": "' + b"x" * 1_048_576 + b'"}}', 413),
    ],
)
def test_a_body_that_no_sane_client_sends_starts_nothing(body: bytes, status: int) -> None:
    ann = caller()

    path = f"{API}/jobs/{ann.job().pk}/execute"
    answer = ann.client.post(path, body, content_type="application/json")

    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert not Execution.objects.exists()


def test_only_json_is_taken() -> None:
    ann = caller()

    path = f"{API}/jobs/{ann.job().pk}/execute"
    answer = ann.client.post(path, b"a=1", content_type="text/csv")

    assert answer.status_code == 415


@pytest.mark.parametrize(
    ("state", "status", "actions"),
    [
        ({"paused_at": NOON}, "paused", "resume"),
        ({"archived_at": NOON}, "archived", "restore"),
    ],
)
def test_a_job_out_of_use_is_not_started(state: dict[str, Any], status: str, actions: str) -> None:
    ann = caller()

    answer = execute(ann, ann.job(**state))

    assert answer.status_code == 409
    assert answer.json()["current_status"] == status
    assert actions in answer.json()["allowed_actions"]
    assert not Execution.objects.exists()


@pytest.mark.parametrize("key", ["nothing-here", "00000000-0000-7000-8000-000000000009", "-", "é"])
def test_an_unknown_job_is_a_404(key: str) -> None:
    assert caller().client.post(f"{API}/jobs/{key}/execute").status_code == 404


def test_a_foreign_job_is_a_404_by_id_and_by_slug() -> None:
    ann = caller()
    foreign = JobFactory.create()

    for key in [str(foreign.pk), foreign.slug]:
        assert execute(ann, foreign, key=key).status_code == 404
    assert not Execution.objects.exists()


def test_a_rehearsal_is_refused_instead_of_being_carried_out() -> None:
    ann = caller()

    answer = ann.client.post(f"{API}/jobs/{ann.job().pk}/execute?dry_run=true")

    assert answer.status_code == 400
    assert not Execution.objects.exists()

"""Cancel and retry: who wins, and what the others are told."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from rest_framework.test import APIClient

from accounts.models import User
from executions import leases, transitions
from executions.models import Execution, Origin, Status
from executions.tests.callers import API, Caller, caller
from tests.factories import NOON

pytestmark = pytest.mark.django_db


def act(ann: Caller, execution: Execution, verb: str, body: Any = None) -> Any:
    return ann.client.post(f"{API}/executions/{execution.pk}/{verb}", body)


@pytest.mark.parametrize("status", [Status.SCHEDULED, Status.QUEUED, Status.WAITING])
def test_what_does_not_run_is_cancelled_at_once(status: Status) -> None:
    ann = caller()
    execution = ann.execution(status=status)

    answer = act(ann, execution, "cancel")

    assert answer.status_code == 200
    told = answer.json()
    assert (told["status"], told["reason"]) == ("cancelled", "cancelled")
    assert told["allowed_actions"] == ["retry"]
    assert [event["what"] for event in told["events"]] == ["cancelled"]


def test_what_runs_is_cancelled_too_and_its_worker_will_notice() -> None:
    ann = caller()
    execution = ann.execution(status=Status.RUNNING)

    answer = act(ann, execution, "cancel")

    assert (answer.status_code, answer.json()["status"]) == (202, "cancelled")


@pytest.mark.parametrize(
    ("status", "actions"),
    [
        (Status.SUCCEEDED, []),
        (Status.FAILED, ["retry"]),
        (Status.SKIPPED, []),
        (Status.CANCELLED, ["retry"]),
    ],
)
def test_what_is_finished_cannot_be_cancelled(status: Status, actions: list[str]) -> None:
    ann = caller()
    execution = ann.execution(status=status)

    answer = act(ann, execution, "cancel")

    assert answer.status_code == 409
    told = answer.json()
    assert (told["current_status"], told["allowed_actions"]) == (status, actions)
    assert not execution.events.exists()


def test_a_dead_letter_is_retried_once() -> None:
    ann = caller()
    dead = ann.execution(status=Status.FAILED, payload={"a": 1})

    first, second = act(ann, dead, "retry"), act(ann, dead, "retry")

    assert (first.status_code, second.status_code) == (202, 409)
    again = first.json()
    assert first.headers["Location"] == f"http://testserver{API}/executions/{again['id']}"
    assert (again["origin"], again["payload"], again["status"]) == (
        "redrive",
        {"a": 1},
        "queued",
    )
    assert second.json()["current_status"] == "failed"
    assert second.json()["allowed_actions"] == []


def test_a_cancelled_execution_is_retried_with_an_edited_input() -> None:
    ann = caller()
    cancelled = ann.execution(status=Status.CANCELLED)

    answer = act(ann, cancelled, "retry", {"payload": {"a": 2}})

    assert answer.status_code == 202
    again = Execution.objects.get(pk=answer.json()["id"])
    assert (again.origin, again.payload) == (Origin.RETRY, {"a": 2})


@pytest.mark.parametrize(
    ("status", "actions"),
    [(Status.RUNNING, ["cancel"]), (Status.SCHEDULED, ["cancel"]), (Status.SUCCEEDED, [])],
)
def test_what_was_not_given_up_is_not_retried(status: Status, actions: list[str]) -> None:
    ann = caller()
    execution = ann.execution(status=status)

    answer = act(ann, execution, "retry")

    assert answer.status_code == 409
    told = answer.json()
    assert (told["current_status"], told["allowed_actions"]) == (status, actions)
    assert Execution.objects.count() == 1


def test_an_edited_input_must_be_valid_for_the_kind() -> None:
    ann = caller()
    dead = ann.execution(job=ann.job(kind="http"), status=Status.FAILED)

    answer = act(ann, dead, "retry", {"payload": {"url": "ftp://x", "verb": "GET"}})

    assert answer.status_code == 400
    pointers = {error["pointer"] for error in answer.json()["errors"]}
    assert pointers == {"/payload/url", "/payload/verb"}
    assert Execution.objects.count() == 1


def test_the_work_of_a_paused_job_is_not_started() -> None:
    ann = caller()
    dead = ann.execution(job=ann.job(paused_at=NOON), status=Status.FAILED)

    answer = act(ann, dead, "retry")

    assert answer.status_code == 409
    assert answer.json()["current_status"] == "paused"


@pytest.mark.parametrize("verb", ["cancel", "retry"])
def test_a_rehearsal_is_refused_instead_of_being_carried_out(verb: str) -> None:
    ann = caller()
    execution = ann.execution(status=Status.SCHEDULED)

    answer = ann.client.post(f"{API}/executions/{execution.pk}/{verb}?dry_run=true")

    assert answer.status_code == 400
    execution.refresh_from_db()
    assert execution.status == Status.SCHEDULED


def at_once(user: User, path: str, *, times: int) -> list[int]:
    together = Barrier(times)

    def call(_: int) -> int:
        client = APIClient()
        client.force_authenticate(user)
        together.wait(timeout=10)
        try:
            status: int = client.post(path).status_code
            return status
        finally:
            connection.close()

    with ThreadPoolExecutor(times) as pool:
        return sorted(pool.map(call, range(times)))


@pytest.mark.django_db(transaction=True)
def test_of_many_cancels_at_once_one_is_carried_out() -> None:
    ann = caller()
    execution = ann.execution(status=Status.QUEUED)
    user = ann.user

    answers = at_once(user, f"{API}/executions/{execution.pk}/cancel", times=4)

    assert answers == [200, 409, 409, 409]
    assert execution.events.count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_many_retries_at_once_one_is_carried_out() -> None:
    ann = caller()
    dead = ann.execution(status=Status.FAILED)

    answers = at_once(ann.user, f"{API}/executions/{dead.pk}/retry", times=4)

    assert answers == [202, 409, 409, 409]
    assert Execution.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_a_cancel_and_a_claim_at_once_both_know_the_outcome() -> None:
    ann = caller()
    for _ in range(10):
        execution = ann.execution(status=Status.QUEUED)
        cancelled, claimed = cancel_and_claim(ann, execution.pk)

        execution.refresh_from_db()
        assert execution.status == Status.CANCELLED
        assert cancelled == (202 if claimed else 200)
        assert execution.attempts.count() == int(claimed)


def cancel_and_claim(ann: Caller, execution_id: UUID) -> tuple[int, bool]:
    together = Barrier(2)

    def cancel() -> int:
        together.wait(timeout=10)
        try:
            status: int = ann.client.post(f"{API}/executions/{execution_id}/cancel").status_code
            return status
        finally:
            connection.close()

    def claim() -> bool:
        together.wait(timeout=10)
        try:
            lease = leases.length()
            return transitions.claim(execution_id, worker="w", now=NOON, lease=lease) is not None
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        cancelling, claiming = pool.submit(cancel), pool.submit(claim)
        return cancelling.result(), claiming.result()

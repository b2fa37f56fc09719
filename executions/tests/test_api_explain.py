"""Explanations over the API: their shape, whose they are, and what bad input gets."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from accounts.roles import Role
from executions import endings, transitions
from executions.models import Status
from executions.tests.callers import API, Caller, caller
from jobs.kinds.base import Failed
from tests.factories import NOON

pytestmark = pytest.mark.django_db

LEASE = timedelta(seconds=30)
SAID = {"code", "sentence", "do", "link"}


def at(ann: Caller, **parameters: str) -> Any:
    return ann.client.get(f"{API}/jobs/{ann.job().slug}/explain", parameters)


def test_an_execution_is_explained_in_answers_to_questions() -> None:
    ann = caller()
    execution = ann.execution(status=Status.QUEUED, job=ann.job(version__max_attempts=1))
    held = transitions.claim(execution.pk, worker="w", now=NOON, lease=LEASE)
    assert held is not None
    endings.record(held, Failed("timeout", "ran longer than 5 s"), now=NOON)

    body = ann.client.get(f"{API}/executions/{execution.pk}/explain").json()

    assert body["execution"] == str(execution.pk)
    assert body["summary"].startswith("It failed for good")
    for question in (
        "why_it_exists",
        "was_it_on_time",
        "did_it_run_twice",
        "what_happens_next",
    ):
        assert set(body[question]) == SAID, question
    assert body["how_did_it_go"][0]["went"]["link"] == "/reasons#timeout"
    assert body["how_did_it_go"][0]["then"]["code"] == "no_attempts_left"
    assert [said["code"] for said in body["what_may_be_done"]] == ["run_again", "resolve"]
    assert set(body["story"][0]) == {"at", "code", "sentence", "link"}


def test_a_viewer_is_told_of_nothing_to_do() -> None:
    ann = caller(Role.VIEWER)
    execution = ann.execution()

    body = ann.client.get(f"{API}/executions/{execution.pk}/explain").json()

    assert body["what_may_be_done"] == []


def test_an_execution_costs_a_fixed_number_of_queries(django_assert_max_num_queries: Any) -> None:
    ann = caller()
    execution = ann.execution()

    with django_assert_max_num_queries(6):
        ann.client.get(f"{API}/executions/{execution.pk}/explain")


def test_a_job_is_explained_at_an_instant() -> None:
    body = at(caller(), at="2027-06-15T12:00:00+02:00").json()

    assert body["at"] == "2027-06-15T10:00:00Z"
    assert body["what_happened"]["code"] in {"before_job", "by_hand"}
    assert body["explanation"] is None
    assert set(body) == {
        "job", "at", "as_of", "summary", "what_happened", "is_slot", "schedule", "version",
        "skipped", "explanation", "what_could_stop_it", "before", "after",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        ({}, "required"),
        ({"at": ""}, "instant_invalid"),
        ({"at": "2027-06-15T12:00:00"}, "instant_invalid"),
        ({"at": "noon"}, "instant_invalid"),
        ({"at": "2027-02-30T12:00:00Z"}, "instant_invalid"),
        ({"at": "0001-01-01T00:00:00Z"}, "instant_invalid"),
        ({"at": "0001-01-01T00:00:00+14:00"}, "instant_invalid"),
        ({"at": "9999-12-31T23:59:59Z"}, "instant_invalid"),
        ({"at": "1969-12-31T23:59:59Z"}, "instant_invalid"),
    ],
)
def test_an_instant_that_is_none_is_named_as_the_parameter(
    parameters: dict[str, str], code: str
) -> None:
    answer = at(caller(), **parameters)

    assert answer.status_code == 400
    (error,) = answer.json()["errors"]
    assert (error["parameter"], error["code"]) == ("at", code)


def test_an_unknown_parameter_is_refused() -> None:
    ann = caller()

    assert at(ann, at="2027-06-15T12:00:00Z", when="now").status_code == 400
    answer = ann.client.get(f"{API}/executions/{ann.execution().pk}/explain", {"at": "now"})
    assert answer.json()["code"] == "unknown_parameter"

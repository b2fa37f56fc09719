"""Failures by cause over the API: groups, redrives, dead letters one by one."""

from __future__ import annotations

from typing import Any

import pytest

from executions import clock, redrives
from executions.models import Attempt, Execution, Redrive, Status
from executions.tests.callers import API, Caller, caller
from tests.factories import NOON

pytestmark = pytest.mark.django_db

CAUSE = "c" * 32
FAILURES = f"{API}/failures"
GROUP = f"{FAILURES}/{CAUSE}"
DEAD = f"{API}/dead-letters"


def dead(ann: Caller, **fields: Any) -> Execution:
    known = {"status": Status.FAILED, "fingerprint": CAUSE, "reason": "raised", "attempt": 1}
    known |= {"message": "no order 7", "finished_at": clock.now()}
    row = ann.execution(**known | fields)
    Attempt.objects.create(
        execution=row,
        number=1,
        worker="w",
        started_at=NOON,
        error="ValueError",
        trace='  File "/srv/shop/orders.py", line 7, in load\nValueError: no order 7\n',
    )
    return row


def test_causes_are_listed_with_one_for_all() -> None:
    ann = caller()
    row = dead(ann)
    dead(ann, job=row.job)
    dead(caller())

    body = ann.client.get(FAILURES).json()

    assert body["count"] == 1
    (group,) = body["results"]
    assert group | {"newest": None, "first_seen_at": None, "last_seen_at": None} == {
        "fingerprint": CAUSE,
        "reason": "raised",
        "error": "ValueError",
        "message": "no order 7",
        "frame": "shop/orders.py:load",
        "link": "/reasons#raised",
        "count": 2,
        "count_capped": False,
        "count_last_hour": 2,
        "first_seen_at": None,
        "last_seen_at": None,
        "newest": None,
        "jobs": [{"id": str(row.job_id), "slug": row.job.slug, "name": row.job.name}],
        "jobs_count": 1,
    }


def test_the_list_costs_a_fixed_number_of_queries(django_assert_max_num_queries: Any) -> None:
    ann = caller()
    for n in range(12):
        dead(ann, fingerprint=f"{n:032x}")

    with django_assert_max_num_queries(8):
        body = ann.client.get(FAILURES, {"limit": "10"}).json()
    assert (body["count"], len(body["results"])) == (12, 10)
    assert len(ann.client.get(FAILURES, {"limit": "10", "page": "2"}).json()["results"]) == 2


def test_one_cause_has_its_trace_and_its_newest_redrive() -> None:
    ann = caller()
    dead(ann)
    assert ann.client.get(GROUP).json()["redrive"] is None

    begun = ann.client.post(f"{GROUP}/redrive").json()

    body = ann.client.get(GROUP).json()
    assert "orders.py" in body["trace"]
    assert body["redrive"]["id"] == begun["id"]


def test_a_redrive_is_accepted_and_can_be_followed() -> None:
    ann = caller()
    paused = ann.job(paused_at=NOON)
    dead(ann)
    dead(ann, job=paused)

    answer = ann.client.post(f"{GROUP}/redrive", {"mode": "canary", "rate": 2}, format="json")

    assert answer.status_code == 202
    body = answer.json()
    assert (body["mode"], body["rate"], body["state"], body["total"]) == ("canary", 2, "running", 2)
    redrives.advance(clock.now())
    seen = ann.client.get(answer.headers["Location"]).json()
    assert (seen["started"], seen["unfinished"]) == (1, 1)
    assert seen["left_over"] == {"job_paused": 1}
    assert seen["sentence"].startswith("1 of 2 started")


def test_a_dry_run_changes_nothing() -> None:
    ann = caller()
    dead(ann)

    answer = ann.client.post(f"{GROUP}/redrive", {"dry_run": True}, format="json")

    assert answer.status_code == 200
    assert (answer.json()["id"], answer.json()["total"]) == (None, 1)
    assert answer.json()["left_over"] == {"waiting": 1}
    assert not Redrive.objects.exists()


def test_a_second_redrive_of_the_cause_is_a_conflict() -> None:
    ann = caller()
    dead(ann)
    first = ann.client.post(f"{GROUP}/redrive").json()

    answer = ann.client.post(f"{GROUP}/redrive")

    assert (answer.status_code, answer.json()["code"]) == (409, "redrive_running")
    ann.client.post(f"{API}/redrives/{first['id']}/stop")
    assert ann.client.post(f"{GROUP}/redrive").status_code == 202


def test_a_redrive_can_be_stopped_more_than_once() -> None:
    ann = caller()
    dead(ann)
    stop = f"{API}/redrives/{ann.client.post(f'{GROUP}/redrive').json()['id']}/stop"

    answers = [ann.client.post(stop) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[1].json()["state"] == "stopped"
    assert answers[1].json()["reason"] == f"{ann.user} stopped it."


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"mode": "some"}, "/mode"),
        ({"rate": 0}, "/rate"),
        ({"rate": 101}, "/rate"),
        ({"rate": "fast"}, "/rate"),
        ({"rate": -1}, "/rate"),
        ({"dry_run": "perhaps"}, "/dry_run"),
        ({"modus": "all"}, "/modus"),
    ],
)
def test_a_wish_that_makes_no_sense_is_refused_at_its_place(
    body: dict[str, Any], pointer: str
) -> None:
    ann = caller()
    dead(ann)

    answer = ann.client.post(f"{GROUP}/redrive", body, format="json")

    assert answer.status_code == 400
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]
    assert not Redrive.objects.exists()


@pytest.mark.parametrize("key", ["nothing", "C" * 32, "c" * 31, "d" * 32, "0" * 32, "%2e%2e"])
def test_a_cause_that_is_none_is_a_404(key: str) -> None:
    ann = caller()
    dead(ann)

    for answer in (
        ann.client.get(f"{FAILURES}/{key}"),
        ann.client.post(f"{FAILURES}/{key}/redrive"),
        ann.client.post(f"{FAILURES}/{key}/resolve"),
    ):
        assert answer.status_code == 404


@pytest.mark.parametrize("key", ["nothing", "00000000-0000-7000-8000-000000000009"])
def test_a_redrive_that_is_none_is_a_404(key: str) -> None:
    ann = caller()

    assert ann.client.get(f"{API}/redrives/{key}").status_code == 404
    assert ann.client.post(f"{API}/redrives/{key}/stop").status_code == 404


def test_a_whole_group_is_resolved() -> None:
    ann = caller()
    row = dead(ann)
    dead(ann)
    other = dead(ann, fingerprint="d" * 32)

    answer = ann.client.post(f"{GROUP}/resolve")

    assert answer.json() == {"resolved": 2, "left": 0}
    row.refresh_from_db()
    assert row.resolved_at is not None
    assert row.events.get().what == "resolved"
    assert row.events.get().actor == str(ann.user)
    assert [one["id"] for one in ann.client.get(DEAD).json()["results"]] == [str(other.pk)]
    assert ann.client.post(f"{GROUP}/resolve").status_code == 404


def test_dead_letters_are_listed_by_cause_and_by_job() -> None:
    ann = caller()
    row = dead(ann)
    dead(ann, fingerprint="")
    dead(ann, resolved_at=NOON)
    ann.execution(status=Status.SUCCEEDED)

    assert ann.client.get(DEAD).json()["count"] == 2
    for query in ({"fingerprint": CAUSE}, {"job": row.job.slug}):
        (found,) = ann.client.get(DEAD, query).json()["results"]
        assert (found["id"], found["fingerprint"]) == (str(row.pk), CAUSE)
    assert ann.client.get(DEAD, {"fingerprint": "0" * 32}).json()["count"] == 1
    assert ann.client.get(DEAD, {"status": "failed"}).status_code == 400


def test_one_dead_letter_is_redriven_with_another_input_or_resolved() -> None:
    ann = caller()
    first, second = dead(ann), dead(ann)

    redriven = ann.client.post(f"{DEAD}/{first.pk}/redrive", {"payload": {"a": 2}}, format="json")
    resolved = ann.client.post(f"{DEAD}/{second.pk}/resolve")

    assert (redriven.status_code, redriven.json()["payload"]) == (202, {"a": 2})
    assert redriven.json()["origin"] == "redrive"
    assert resolved.status_code == 200
    assert resolved.json()["resolved_at"] is not None
    for row in (first, second):
        again = ann.client.post(f"{DEAD}/{row.pk}/resolve")
        assert (again.status_code, again.json()["code"]) == (409, "not_dead")

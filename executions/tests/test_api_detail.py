"""One execution: what is told of it, and waiting for its end."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest
from django.db import connection
from pytest_django import DjangoAssertNumQueries

from executions import transitions
from executions.api import waiting
from executions.models import Attempt, Beat, Execution, ExecutionEvent, Status
from executions.reports import Report
from executions.tests.callers import API, caller
from jobs.policies import Priority
from tests.factories import NOON, ExecutionFactory

pytestmark = pytest.mark.django_db


def test_everything_that_is_known_is_told() -> None:
    ann = caller()
    execution = ann.execution(
        status=Status.FAILED,
        attempt=1,
        reason="bad_status",
        message="HTTP 500",
        payload={"a": 1},
        result={"status_code": 500},
        scheduled_for=NOON,
        started_at=NOON,
        priority=Priority.HIGH,
    )
    Attempt.objects.create(
        execution=execution, number=1, worker="w", started_at=NOON, outcome="failed"
    )
    ExecutionEvent.objects.create(execution=execution, at=NOON, what="requested", actor="ann")

    told = ann.client.get(f"{API}/executions/{execution.pk}").json()

    assert (told["status"], told["reason"], told["message"]) == ("failed", "bad_status", "HTTP 500")
    assert (told["payload"], told["result"]) == ({"a": 1}, {"status_code": 500})
    assert (told["scheduled_for"], told["due_at"]) == ("2027-06-15T12:00:00Z",) * 2
    assert (told["priority"], told["lateness_seconds"], told["duration_seconds"]) == ("high", 0, 0)
    assert told["task_id"] == f"{execution.pk}-1"
    assert told["flower_url"] == f"/flower/task/{execution.pk}-1"
    assert [attempt["outcome"] for attempt in told["attempts"]] == ["failed"]
    assert [event["what"] for event in told["events"]] == ["requested"]
    assert told["waiting_on"] is None


def test_without_an_input_of_its_own_it_shows_its_version_s() -> None:
    ann = caller()
    job = ann.job(version__payload={"from": "version"})
    execution = ann.execution(job=job)

    told = ann.client.get(f"{API}/executions/{execution.pk}").json()

    assert told["payload"] == {"from": "version"}
    assert (told["task_id"], told["flower_url"]) == (None, None)


def test_it_says_what_it_waits_for() -> None:
    ann = caller()
    execution = ann.execution(due_at=NOON.replace(year=2099))

    told = ann.client.get(f"{API}/executions/{execution.pk}").json()

    assert told["waiting_on"] == {
        "code": "not_due",
        "sentence": "It is due at 2099-06-15 12:00:00 UTC.",
        "do": "",
        "link": "/reasons#not_due",
    }


@pytest.mark.parametrize(
    "key", ["nothing", "00000000-0000-7000-8000-000000000009", "%00", "1 OR 1=1", "é" * 50]
)
@pytest.mark.parametrize("part", ["", "/logs", "/attempts", "/events", "/explain"])
def test_an_unknown_id_is_a_404(key: str, part: str) -> None:
    answer = caller().client.get(f"{API}/executions/{key}{part}")

    assert answer.status_code in {400, 404}  # U+0000 is refused before anything is looked up
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_a_foreign_execution_looks_like_an_unknown_one() -> None:
    ann = caller()
    foreign = ann.client.get(f"{API}/executions/{ExecutionFactory.create().pk}").json()
    unknown = ann.client.get(f"{API}/executions/00000000-0000-7000-8000-000000000009").json()

    for told in [foreign, unknown]:
        del told["instance"], told["request_id"]
    assert foreign == unknown


def test_reading_one_costs_few_queries(
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    ann = caller()
    execution = ann.execution()
    for number in range(1, 6):
        Attempt.objects.create(execution=execution, number=number, worker="w", started_at=NOON)

    with django_assert_max_num_queries(8):
        ann.client.get(f"{API}/executions/{execution.pk}")


def test_a_slash_at_the_end_changes_nothing() -> None:
    ann = caller()
    execution = ann.execution()

    for path in ["executions", f"executions/{execution.pk}", f"executions/{execution.pk}/logs"]:
        assert ann.client.get(f"{API}/{path}/").status_code == 200


def test_waiting_for_a_finished_execution_takes_no_time() -> None:
    ann = caller()
    execution = ann.execution(status=Status.SUCCEEDED)
    started = time.monotonic()

    answer = ann.client.get(f"{API}/executions/{execution.pk}", {"wait": "30"})

    assert answer.json()["status"] == "succeeded"
    assert time.monotonic() - started < 5


def test_patience_ends() -> None:
    ann = caller()
    execution = ann.execution(status=Status.QUEUED)
    started = time.monotonic()

    answer = ann.client.get(f"{API}/executions/{execution.pk}", {"wait": "0.3"})

    assert answer.json()["status"] == "queued"
    assert time.monotonic() - started >= 0.3


@pytest.mark.parametrize("seconds", ["-1", "61", "nan", "inf", "1e1000", "soon", "9" * 400])
def test_a_wait_out_of_bounds_is_refused(seconds: str) -> None:
    ann = caller()
    execution = ann.execution()

    answer = ann.client.get(f"{API}/executions/{execution.pk}", {"wait": seconds})

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["parameter"] == "wait"


@pytest.mark.django_db(transaction=True)
def test_waiting_ends_with_the_execution_and_holds_no_connection(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    execution = ExecutionFactory.create(status=Status.RUNNING)
    paused = Event()

    def pause(seconds: float) -> None:
        assert connection.connection is None
        paused.set()
        time.sleep(seconds)

    monkeypatch.setattr(waiting, "sleep", pause)

    def wait() -> None:
        try:
            waiting.wait_until_finished(execution.pk, seconds=30)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        waiter = pool.submit(wait)
        assert paused.wait(timeout=10)
        running = Execution.objects.get(pk=execution.pk)
        transitions.succeed(running, now=NOON, report=Report(result={}))
        waiter.result(timeout=10)


def test_the_scheduler_is_looked_for_only_when_it_matters() -> None:
    ann = caller()
    Beat.objects.create(
        name="b", pid=1, version="1", started_at=NOON, heartbeat_at=NOON.replace(year=2099)
    )
    execution = ann.execution(due_at=NOON.replace(year=2020))

    told = ann.client.get(f"{API}/executions/{execution.pk}").json()

    assert told["waiting_on"]["code"] == "scheduler"

"""Why an execution is where it is, and what may be done about it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from executions import explain
from executions.models import Beat, Execution, Status, Worker
from executions.reasons import Said
from tests.factories import NOON, ExecutionFactory, QueueFactory

pytestmark = pytest.mark.django_db

SECOND = timedelta(seconds=1)
PROCESS = {"pid": 1, "version": "1", "started_at": NOON, "heartbeat_at": NOON}


def blocker(**fields: Any) -> Said | None:
    return explain.waiting_on(ExecutionFactory.create(**fields), now=NOON + SECOND)


def code(**fields: Any) -> str:
    found = blocker(**fields)
    return found.code if found else ""


def test_an_execution_of_the_future_waits_for_its_instant() -> None:
    found = blocker(due_at=NOON + timedelta(hours=1))

    assert found is not None
    assert (found.code, found.sentence) == ("not_due", "It is due at 2027-06-15 13:00:00 UTC.")


def test_a_retry_waits_for_its_delay_and_says_why_the_last_attempt_ended() -> None:
    found = blocker(due_at=NOON + timedelta(hours=1), attempt=2, reason="timeout")

    assert found is not None
    assert found.code == "retry_delay"
    assert "Attempt 3" in found.sentence
    assert "timeout" in found.sentence


def test_a_due_execution_waits_for_the_scheduler() -> None:
    assert code() == "no_scheduler"

    Beat.objects.create(name="b", **PROCESS)

    assert code() == "scheduler"


def test_a_paused_queue_is_named_with_its_reason() -> None:
    QueueFactory.create(name="mail", paused_at=NOON, paused_reason="provider is down")

    found = blocker(queue="mail")

    assert found is not None
    assert found.code == "queue_paused"
    assert found.sentence == "The queue mail is paused: provider is down."
    assert code(queue="mail", status=Status.QUEUED) == "queue_paused"


def test_a_queued_execution_waits_for_a_worker_of_its_fleet() -> None:
    Worker.objects.create(name="w", fleet="compute", slots=1, **PROCESS)
    assert code(status=Status.QUEUED) == "no_worker"

    Worker.objects.create(name="w", fleet="io", slots=1, **PROCESS)

    assert code(status=Status.QUEUED) == "worker"


def test_work_that_goes_on_elsewhere_waits_for_the_outside() -> None:
    assert code(status=Status.WAITING) == "outside"


@pytest.mark.parametrize("status", [Status.RUNNING, Status.SUCCEEDED, Status.CANCELLED])
def test_what_runs_or_has_ended_waits_for_nothing(status: Status) -> None:
    assert blocker(status=status) is None


@pytest.mark.parametrize(
    ("fields", "actions"),
    [
        ({"status": Status.SCHEDULED}, ["cancel"]),
        ({"status": Status.QUEUED}, ["cancel"]),
        ({"status": Status.RUNNING}, ["cancel"]),
        ({"status": Status.WAITING}, ["cancel"]),
        ({"status": Status.FAILED}, ["retry"]),
        ({"status": Status.FAILED, "resolved_at": NOON}, []),
        ({"status": Status.CANCELLED}, ["retry"]),
        ({"status": Status.SUCCEEDED}, []),
        ({"status": Status.SKIPPED}, []),
    ],
)
def test_the_state_decides_what_may_be_done(fields: dict[str, Any], actions: list[str]) -> None:
    assert explain.allowed_actions(Execution(**fields)) == actions


def test_lateness_grows_while_an_execution_waits_and_stops_at_its_start() -> None:
    waiting = ExecutionFactory.create()
    started = ExecutionFactory.create(status=Status.RUNNING, started_at=NOON + SECOND)

    assert explain.lateness(waiting, now=NOON + 5 * SECOND) == 5 * SECOND
    assert explain.lateness(started, now=NOON + 5 * SECOND) == SECOND


def test_nothing_is_late_that_is_not_due_or_was_never_started() -> None:
    coming = ExecutionFactory.create(due_at=NOON + SECOND)
    cancelled = ExecutionFactory.create(status=Status.CANCELLED)

    assert explain.lateness(coming, now=NOON) is None
    assert explain.lateness(cancelled, now=NOON + SECOND) is None


def test_duration_runs_until_the_attempt_ends() -> None:
    running = ExecutionFactory.create(status=Status.RUNNING, started_at=NOON)
    ended = ExecutionFactory.create(status=Status.FAILED, started_at=NOON - SECOND)
    waiting = ExecutionFactory.create(started_at=NOON)

    assert explain.duration(running, now=NOON + 2 * SECOND) == 2 * SECOND
    assert explain.duration(ended, now=NOON + 2 * SECOND) == SECOND
    assert explain.duration(waiting, now=NOON + 2 * SECOND) is None

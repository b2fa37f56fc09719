"""Work that was given up can be started again; other work cannot."""

from __future__ import annotations

import pytest

from executions import again
from executions.deadletters import NotDeadError
from executions.models import Execution, Origin, Status
from jobs.definitions import JobPausedError
from tests.factories import NOON, ExecutionFactory

pytestmark = pytest.mark.django_db


def test_a_dead_letter_is_redriven_and_resolved() -> None:
    dead = ExecutionFactory.create(status=Status.FAILED, payload={"a": 1})

    started = again.run_again(dead, now=NOON, actor="ann")

    dead.refresh_from_db()
    assert (started.origin, started.payload) == (Origin.REDRIVE, {"a": 1})
    assert dead.resolved_at == NOON


def test_a_cancelled_execution_is_started_again_with_another_input() -> None:
    cancelled = ExecutionFactory.create(status=Status.CANCELLED, payload={"a": 1})

    started = again.run_again(cancelled, now=NOON, actor="ann", payload={"a": 2})

    assert (started.origin, started.payload) == (Origin.RETRY, {"a": 2})
    assert started.events.get().detail == {"reason": f"retry of {cancelled.pk}"}


@pytest.mark.parametrize("status", [Status.RUNNING, Status.SUCCEEDED, Status.SKIPPED])
def test_what_was_not_given_up_is_not_started_again(status: Status) -> None:
    execution = ExecutionFactory.create(status=status)

    with pytest.raises(NotDeadError):
        again.run_again(execution, now=NOON, actor="ann")

    assert Execution.objects.count() == 1


def test_a_paused_job_is_not_started_again() -> None:
    dead = ExecutionFactory.create(status=Status.FAILED, job__paused_at=NOON)

    with pytest.raises(JobPausedError):
        again.run_again(dead, now=NOON, actor="ann")

    dead.refresh_from_db()
    assert dead.resolved_at is None

"""Deadlines: of a start that is waited for, and of a report from outside."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from executions import dispatch, transitions
from executions.maintenance import expire
from executions.models import Execution, ExecutionEvent, Status
from tests.factories import NOON, ExecutionFactory, JobFactory

pytestmark = pytest.mark.django_db

LEASE = timedelta(seconds=30)
SECOND = timedelta(seconds=1)


@pytest.mark.parametrize("status", [Status.SCHEDULED, Status.QUEUED])
@pytest.mark.parametrize("blocked_on", ["", "queue"])
def test_what_was_not_started_by_its_deadline_is_skipped(status: str, blocked_on: str) -> None:
    late = ExecutionFactory.create(
        status=status, start_by=NOON, blocked_on=blocked_on, publish_at=NOON
    )
    ExecutionFactory.create(status=status, start_by=NOON + SECOND)
    ExecutionFactory.create(status=status)

    assert expire(NOON) == 1

    late.refresh_from_db()
    assert (late.status, late.reason, late.finished_at) == (Status.SKIPPED, "expired", NOON)
    assert ExecutionEvent.objects.get().execution == late
    assert expire(NOON) == 0


def test_a_retry_that_waits_has_started_in_time() -> None:
    execution = ExecutionFactory.create(attempt=1, start_by=NOON - SECOND)

    assert expire(NOON) == 0
    dispatch.queue_due(NOON)

    execution.refresh_from_db()
    assert execution.status == Status.QUEUED


def test_what_is_past_its_deadline_is_not_queued_any_more() -> None:
    execution = ExecutionFactory.create(start_by=NOON)

    dispatch.queue_due(NOON)

    execution.refresh_from_db()
    assert execution.status == Status.SCHEDULED


@pytest.mark.parametrize(("start_by", "claimed"), [(NOON, False), (NOON + SECOND, True)])
def test_a_worker_that_comes_after_the_deadline_gets_nothing(start_by: Any, claimed: bool) -> None:
    execution = ExecutionFactory.create(status=Status.QUEUED, start_by=start_by)

    taken = transitions.claim(execution.pk, worker="a", now=NOON, lease=LEASE)

    assert (taken is not None) == claimed


def waiting(**version: Any) -> Execution:
    job = JobFactory.create(**{f"version__{name}": value for name, value in version.items()})
    queued = ExecutionFactory.create(job=job, status=Status.QUEUED)
    execution = transitions.claim(queued.pk, worker="a", now=NOON, lease=LEASE)
    assert execution is not None
    transitions.wait(execution, now=NOON, until=NOON + SECOND)
    return execution


def test_a_report_that_does_not_come_is_a_failed_try() -> None:
    execution = waiting(max_attempts=2)

    assert expire(NOON) == 0
    assert expire(NOON + SECOND) == 1

    execution.refresh_from_db()
    attempt = execution.attempts.get()
    assert (execution.status, execution.failures) == (Status.SCHEDULED, 1)
    assert (attempt.outcome, attempt.reason) == ("failed", "no_report")
    assert expire(NOON + SECOND) == 0


def test_the_last_report_that_does_not_come_fails_the_execution() -> None:
    execution = waiting(max_attempts=1)

    expire(NOON + SECOND)

    execution.refresh_from_db()
    assert (execution.status, execution.reason) == (Status.FAILED, "no_report")
    assert "2027-06-15 12:00:01 UTC" in execution.message

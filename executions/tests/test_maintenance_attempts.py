"""Executions and their attempts tell the same story, or the audit says so."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from executions import transitions
from executions.maintenance import audit_attempts
from executions.maintenance.attempts import FIRST, SETTLED
from executions.models import Attempt, AuditFinding, Execution, Status
from executions.reports import Report
from tests.factories import ExecutionFactory

pytestmark = pytest.mark.django_db

LEASE = timedelta(seconds=30)


@pytest.fixture
def now() -> datetime:
    """Ids tell the real time, so this is some time after it."""
    return ExecutionFactory.create().created_at.now().astimezone() + SETTLED + timedelta(hours=1)


def claimed(now: datetime) -> Execution:
    queued = ExecutionFactory.create(status=Status.QUEUED)
    execution = transitions.claim(queued.pk, worker="a", now=now, lease=LEASE)
    assert execution is not None
    return execution


def findings() -> list[str]:
    return list(AuditFinding.objects.values_list("message", flat=True))


def test_every_state_that_the_verbs_lead_to_fits(now: datetime) -> None:
    report = Report()
    transitions.succeed(claimed(now), now=now, report=report)
    transitions.fail(claimed(now), now=now, report=report)
    transitions.retry(claimed(now), now=now, report=report, due_at=now)
    transitions.hand_back(claimed(now), now=now, report=report)
    transitions.lose(claimed(now), now=now, report=report)
    transitions.wait(claimed(now), now=now, until=now)
    transitions.cancel(claimed(now), now=now, actor="ann")
    transitions.cancel(ExecutionFactory.create(), now=now, actor="ann")
    claimed(now)

    assert audit_attempts(now) == 10
    assert findings() == []
    assert audit_attempts(now) == 0


def test_the_first_audit_does_not_read_all_history(now: datetime) -> None:
    claimed(now)

    assert audit_attempts(now + FIRST) == 0
    assert audit_attempts(now + FIRST) == 0


@pytest.mark.parametrize(
    ("broken", "why"),
    [
        (lambda one: one.attempts.all().delete(), "succeeded after 1 attempts, of which 0 have"),
        (lambda one: one.attempts.update(finished_at=None), "1 have rows and 1 go on"),
        (lambda one: one.attempts.update(outcome=Attempt.Outcome.LOST), "succeeded after 1"),
    ],
    ids=["no attempt", "open attempt", "no success"],
)
def test_an_execution_that_does_not_fit_is_found_once(
    now: datetime, broken: object, why: str
) -> None:
    execution = claimed(now)
    transitions.succeed(execution, now=now, report=Report())
    broken(execution)  # type: ignore[operator]

    audit_attempts(now)
    audit_attempts(now)

    (message,) = findings()
    assert str(execution.pk) in message
    assert why in message


def test_a_running_execution_without_an_attempt_is_found(now: datetime) -> None:
    execution = claimed(now)
    execution.attempts.update(finished_at=now)

    audit_attempts(now)

    assert AuditFinding.objects.get().execution == execution.pk


def test_one_batch_follows_the_other(now: datetime) -> None:
    for _ in range(4):
        ExecutionFactory.create()

    assert [audit_attempts(now, limit=2) for _ in range(4)] == [2, 2, 1, 0]


def test_what_is_young_is_left_for_later() -> None:
    execution = ExecutionFactory.create()
    made_at = datetime.fromtimestamp(execution.pk.int / 2**80 / 1000).astimezone()

    assert audit_attempts(made_at + SETTLED - timedelta(seconds=1)) == 0
    assert audit_attempts(made_at + SETTLED + timedelta(seconds=1)) == 1

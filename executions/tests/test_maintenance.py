"""The sweeps: lost workers and lost messages."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest

from executions import transitions
from executions.maintenance import AUDITS, PASSES, rescue, sweep_all
from executions.maintenance.attempts import ATTEMPTS
from executions.models import Attempt, AuditMark, Execution, Status
from jobs.policies import OnLost
from tests.factories import NOON, ExecutionFactory, JobFactory

pytestmark = pytest.mark.django_db

LEASE = timedelta(seconds=30)
NOTHING = dict.fromkeys((one.__name__ for one in PASSES), 0)
LATER = NOON + LEASE + timedelta(seconds=1)


def running(**version: object) -> Execution:
    job = JobFactory.create(**{f"version__{name}": value for name, value in version.items()})
    queued = ExecutionFactory.create(job=job, status=Status.QUEUED)
    execution = transitions.claim(queued.pk, worker="gone@host", now=NOON, lease=LEASE)
    assert execution is not None
    return execution


def test_an_execution_whose_worker_is_gone_starts_again() -> None:
    execution = running()

    assert rescue(LATER) == 1

    execution.refresh_from_db()
    assert (execution.status, execution.losses) == ("scheduled", 1)
    assert execution.due_at == NOON  # it goes before what has become due meanwhile
    assert execution.attempts.get().reason == "worker_lost"
    assert "gone@host" in execution.attempts.get().message


def test_a_living_lease_is_left_alone() -> None:
    running()

    assert rescue(NOON + LEASE) == 0


def test_at_most_once_on_request() -> None:
    execution = running(on_lost=OnLost.FAIL)

    rescue(LATER)

    execution.refresh_from_db()
    assert (execution.status, execution.reason) == (Status.FAILED, "worker_lost")


def test_what_takes_three_workers_with_it_is_quarantined() -> None:
    execution = running()
    for _ in range(2):
        rescue(LATER)
        Execution.objects.update(status=Status.QUEUED)
        transitions.claim(execution.pk, worker="b", now=NOON, lease=LEASE)

    rescue(LATER)

    execution.refresh_from_db()
    assert (execution.status, execution.reason) == (Status.FAILED, "quarantined")
    assert [one.outcome for one in execution.attempts.all()] == [Attempt.Outcome.LOST] * 3


def test_a_full_sweep_goes_on_until_nothing_is_left() -> None:
    for _ in range(3):
        running()
    AuditMark.objects.create(name=ATTEMPTS, up_to=UUID(int=0), at=NOON)

    looked_at = dict.fromkeys((one.__name__ for one in AUDITS), 0)
    assert sweep_all(LATER) == NOTHING | looked_at | {"rescue": 3, "audit_attempts": 3}
    assert sweep_all(LATER) == NOTHING | looked_at

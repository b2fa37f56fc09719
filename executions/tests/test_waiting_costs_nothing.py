"""Whatever waits is a row and nothing else: no message, no thread, no slot of a worker."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from executions import bell, broker, clock, dispatch
from executions.maintenance import PASSES
from executions.models import Execution, Status
from executions.tests.crowds import analyze, crowd
from jobs.models import Limit
from jobs.policies import Priority
from tests.factories import JobFactory, QueueFactory

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.django_db

EACH = 10_000
HOUR = timedelta(hours=1)


@pytest.fixture
def _empty_broker(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(broker, "_asked_again_at", 0.0)
    bell.client().flushdb()
    yield
    bell.client().flushdb()


def memory() -> int:
    """Bytes that the broker uses for what it stores for this test."""
    stored: Any = bell.client()
    return sum(stored.memory_usage(key, samples=0) for key in stored.scan_iter())


def wait_in_every_way(now: Any) -> None:
    """50 000 executions: for later, for a retry, for a limit, for a queue, for somebody else."""
    job = JobFactory.create()
    limited = JobFactory.create(version__concurrency=1)
    limit = Limit.objects.create(team=job.team, name="mail", rate=1, per_seconds=3600)
    QueueFactory.create(name="closed", paused_at=now)
    crowd(job, EACH, due_at=now + HOUR, created_at=now)
    crowd(job, EACH, due_at=now + HOUR, created_at=now, attempt=1, failures=1, reason="raised")
    crowd(limited, 1, status=Status.RUNNING, lease_expires_at=now + HOUR)
    crowd(limited, EACH // 2, due_at=now, blocked_on=f"job:{limited.pk}")
    crowd(job, 1, limit=limit, limit_key=str(limit.pk), status=Status.RUNNING,
          lease_expires_at=now + HOUR, started_at=now)  # fmt: skip
    crowd(job, EACH // 2, limit=limit, limit_key=str(limit.pk), blocked_on=f"rate:{limit.pk}")
    crowd(job, EACH, due_at=now, queue="closed")
    crowd(job, EACH, due_at=now + HOUR, status=Status.WAITING, attempt=1)
    analyze()


@pytest.mark.usefixtures("_empty_broker")
def test_fifty_thousand_that_wait_hold_no_message_no_thread_and_no_slot() -> None:
    before, threads, now = memory(), threading.active_count(), clock.read()
    wait_in_every_way(now)
    in_flight = Execution.objects.in_flight().count()

    for second in range(5):
        for one in (dispatch.queue_due, *PASSES):
            one(now + timedelta(seconds=second))

    lanes = [
        broker.Lane(queue, fleet, lane)
        for queue in ("default", "closed")
        for fleet in ("io", "compute")
        for lane in Priority
    ]
    assert sum(tail.length for tail in broker.tails(lanes).values()) == 0
    assert memory() - before < 64 * 1024
    assert threading.active_count() == threads
    assert Execution.objects.in_flight().count() == in_flight == 2
    waiting = Execution.objects.filter(status__in=[Status.SCHEDULED, Status.WAITING])
    assert waiting.count() == 5 * EACH


@pytest.mark.usefixtures("_empty_broker")
def test_a_backlog_costs_the_broker_no_more_than_a_window() -> None:
    now = clock.read()
    job = JobFactory.create()
    crowd(job, 1_000, due_at=now, created_at=now)
    dispatch.queue_due(now)
    a_window = memory()
    crowd(job, 30_000, due_at=now, created_at=now)
    analyze()

    for _ in range(5):
        dispatch.queue_due(now)

    assert Execution.objects.in_flight().count() == 500
    assert memory() - a_window < 64 * 1024

"""A worker that dies in the middle: its execution starts again, and the story is told."""

from __future__ import annotations

import pytest

from executions import clock, scheduler
from executions.models import Attempt, Execution, Status
from tests.factories import JobFactory
from tests.stack import Stack
from tests.target import Target
from tests.waiting import eventually

pytestmark = [pytest.mark.crash, pytest.mark.django_db(transaction=True)]

LEASE_SECONDS = 3


def test_an_execution_survives_kill_9_of_its_worker() -> None:
    env = {"CHRONOS_LEASE_SECONDS": str(LEASE_SECONDS), "CHRONOS_HTTP_ALLOW_PRIVATE": "127.0.0.0/8"}
    with Target(delay=30) as target, Stack(env) as stack:
        stack.beat("beat-1")
        worker = stack.worker("io")
        job = JobFactory.create(kind="http", version__payload={"url": f"{target.url}/slow"})
        execution = scheduler.run_now(job, now=clock.read(), actor="test")
        eventually(lambda: target.hits, within=10)

        stack.kill(worker)
        target.delay = 0
        stack.worker("io")
        eventually(lambda: Execution.objects.get().status == Status.SUCCEEDED, within=20)

        attempts = list(Attempt.objects.filter(execution=execution).order_by("number"))
        execution.refresh_from_db()
        assert [one.outcome for one in attempts] == ["lost", "succeeded"]
        assert attempts[0].reason == "worker_lost"
        assert (execution.attempt, execution.failures, execution.losses) == (2, 0, 1)
        assert len(target.hits) == 2
        assert {hit.headers["Idempotency-Key"] for hit in target.hits} == {str(execution.pk)}

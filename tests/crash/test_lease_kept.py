"""Work that outlasts its lease many times over is kept, however many run at once."""

from __future__ import annotations

import pytest

from executions import clock, scheduler
from executions.models import Execution, Status
from tests.factories import JobFactory
from tests.stack import Stack
from tests.target import Target
from tests.waiting import eventually

pytestmark = [pytest.mark.crash, pytest.mark.django_db(transaction=True)]

AT_ONCE = 8  # twice as many as the worker has connections


def test_more_jobs_than_connections_keep_their_leases() -> None:
    env = {"CHRONOS_LEASE_SECONDS": "3", "CHRONOS_HTTP_ALLOW_PRIVATE": "127.0.0.0/8"}
    with Target(delay=8) as target, Stack(env) as stack:
        stack.beat("beat-1")
        stack.worker("io", slots=AT_ONCE)
        job = JobFactory.create(kind="http", version__payload={"url": f"{target.url}/slow"})
        for _ in range(AT_ONCE):
            scheduler.run_now(job, now=clock.read(), actor="test")

        done = Execution.objects.filter(status=Status.SUCCEEDED, attempt=1)
        eventually(lambda: done.count() == AT_ONCE, within=30)

        assert len(target.hits) == AT_ONCE

"""How long a job waits for its own queries."""

from __future__ import annotations

import pytest

from executions import runner
from executions.models import Status
from jobs.kinds.functions import functions, job_function
from lib.patience import FOR_EVER, own_patience
from tests.factories import ExecutionFactory, JobFactory

pytestmark = pytest.mark.django_db


def told() -> float | None:
    return own_patience()


def test_a_job_waits_for_its_own_queries_as_long_as_its_time_limit_allows() -> None:
    if "test.told" not in functions():
        job_function("test.told")(told)
    payload = {"function": "test.told", "args": [], "kwargs": {}}
    job = JobFactory.create(kind="python", version__payload=payload)
    execution = ExecutionFactory.create(job=job, status=Status.QUEUED)

    runner.run(execution.pk, worker="a")

    execution.refresh_from_db()
    assert execution.result == FOR_EVER
    assert own_patience() is None

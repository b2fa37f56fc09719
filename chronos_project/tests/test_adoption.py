"""Adopted Celery tasks: their retry options keep their meaning, their waits are rows."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from celery import Celery

from chronos_project.adoption import adopt
from executions import clock, runner
from executions.models import Execution, Status
from jobs.kinds.base import Context, Failed
from jobs.kinds.functions import functions
from tests.factories import ExecutionFactory, JobFactory

app = Celery("adopted", set_as_current=False, broker="memory://")


@app.task(
    name="test.billing.charge",
    autoretry_for=(ConnectionError,),
    retry_backoff=2,
    retry_backoff_max=60,
    retry_jitter=False,
    max_retries=4,
)
def charge(amount: int) -> int:
    if amount < 0:
        raise ConnectionError("the bank is away")
    if amount == 0:
        raise ValueError("nothing to charge")
    return amount


@app.task(name="test.billing.poll", bind=True)
def poll(self: Any) -> None:
    raise self.retry(countdown=17)


@app.task(name="test.private.secret")
def secret() -> None:
    """Not to be called by jobs."""


app.finalize()


@pytest.fixture(autouse=True)
def adopted() -> None:
    if "test.billing.charge" not in functions():
        adopt(app, ["test.billing.*"])


def call(name: str, *args: Any, failures: int = 0) -> Any:
    context = Context(
        execution_id=uuid4(),
        job_id=uuid4(),
        attempt=failures + 1,
        failures=failures,
        scheduled_for=None,
        timeout=timedelta(minutes=1),
        write=lambda stream, text: None,
    )
    from jobs.kinds.python import KIND  # noqa: PLC0415  the kind scans what is registered

    return KIND.run({"function": name, "args": list(args), "kwargs": {}}, context)


def test_only_named_tasks_are_adopted() -> None:
    assert "test.billing.charge" in functions()
    assert "test.private.secret" not in functions()


def test_a_task_that_succeeds_gives_its_result() -> None:
    assert call("test.billing.charge", 5).result == 5


@pytest.mark.parametrize(("failures", "seconds"), [(0, 2), (1, 4), (2, 8), (3, 16)])
def test_autoretry_backs_off_as_celery_would(failures: int, seconds: int) -> None:
    outcome = call("test.billing.charge", -1, failures=failures)

    assert isinstance(outcome, Failed)
    assert outcome.retryable
    assert outcome.retry_in == timedelta(seconds=seconds)


def test_max_retries_ends_it() -> None:
    outcome = call("test.billing.charge", -1, failures=4)

    assert (outcome.retryable, outcome.message) == (False, "ConnectionError('the bank is away')")


def test_an_error_that_is_not_to_be_retried_fails_at_once() -> None:
    assert not call("test.billing.charge", 0).retryable


def test_a_task_may_ask_for_a_retry_itself() -> None:
    assert call("test.billing.poll").retry_in == timedelta(seconds=17)


@pytest.mark.django_db
def test_the_wait_is_a_row_and_no_message() -> None:
    payload = {"function": "test.billing.charge", "args": [-1], "kwargs": {}}
    job = JobFactory.create(kind="python", version__payload=payload, version__max_attempts=1)
    queued = ExecutionFactory.create(job=job, status=Status.QUEUED)

    before = clock.now()
    runner.run(queued.pk, worker="a")

    execution = Execution.objects.get()
    assert execution.status == Status.SCHEDULED  # the task's max_retries rule, not the job's
    assert timedelta(seconds=2) <= execution.due_at - before < timedelta(seconds=4)

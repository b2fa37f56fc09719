"""What a job says about retries is what its executions do."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from executions import clock, runner
from executions.models import Execution, Status
from jobs.kinds.functions import RetryLater, functions, job_function
from tests.factories import ExecutionFactory, JobFactory

pytestmark = pytest.mark.django_db


class OutOfPaperError(OSError):
    """What a function may raise."""


def prints() -> None:
    raise OutOfPaperError("tray 2")


def waits() -> None:
    raise RetryLater(timedelta(seconds=90), cause=OutOfPaperError("tray 3"))


def after_one_try(function: Any, **version: Any) -> Execution:
    name = f"retries.{function.__qualname__}"
    if name not in functions():
        job_function(name)(function)
    payload = {"function": name, "args": [], "kwargs": {}}
    fields = {f"version__{field}": value for field, value in version.items()}
    job = JobFactory.create(kind="python", version__payload=payload, **fields)
    execution = ExecutionFactory.create(job=job, status=Status.QUEUED)
    runner.run(execution.pk, worker="a")
    return Execution.objects.get(pk=execution.pk)


@pytest.mark.parametrize(
    ("rules", "status"),
    [
        ({}, Status.SCHEDULED),
        ({"retry_on": ["raised"]}, Status.SCHEDULED),
        ({"retry_on": ["OutOfPaperError"]}, Status.SCHEDULED),
        ({"retry_on": ["OSError"]}, Status.SCHEDULED),
        ({"retry_on": [f"{__name__}.OutOfPaperError"]}, Status.SCHEDULED),
        ({"retry_on": ["timeout", "KeyError"]}, Status.FAILED),
        ({"give_up_on": ["OSError"]}, Status.FAILED),
        ({"give_up_on": ["KeyError"]}, Status.SCHEDULED),
        ({"retry_on": ["raised"], "give_up_on": ["OutOfPaperError"]}, Status.FAILED),
    ],
)
def test_an_exception_is_retried_by_the_names_of_its_classes(
    rules: dict[str, Any], status: Status
) -> None:
    assert after_one_try(prints, **rules).status == status


def test_a_ladder_says_when_the_next_try_is() -> None:
    ladder = {"retry_strategy": "ladder", "retry_delays": [7, 3600], "retry_jitter": "none"}
    before = clock.now()

    execution = after_one_try(prints, **ladder)

    assert execution.status == Status.SCHEDULED
    delay = execution.due_at - before
    assert timedelta(seconds=7) <= delay < timedelta(seconds=60)


def test_a_function_that_asks_for_a_delay_gets_at_least_that() -> None:
    before = clock.now()

    execution = after_one_try(waits, retry_base_seconds=1)

    assert execution.status == Status.SCHEDULED
    assert execution.due_at - before >= timedelta(seconds=90)


def test_a_function_that_asks_for_another_try_is_given_up_on_all_the_same() -> None:
    assert after_one_try(waits, give_up_on=["OutOfPaperError"]).status == Status.FAILED

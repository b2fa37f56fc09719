"""The state machine: every verb, its guard, and what it leaves behind."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import TYPE_CHECKING

import pytest
from django.db import IntegrityError, connection, transaction
from django_celery_results.models import TaskResult

from executions import transitions
from executions.logs import Chunk
from executions.models import Attempt, Execution, Status
from executions.reports import LONGEST_MESSAGE, Report
from executions.transitions import IllegalTransitionError, StaleExecutionError
from tests.factories import NOON, ExecutionFactory, JobFactory

if TYPE_CHECKING:
    from pytest_django.fixtures import DjangoAssertNumQueries

pytestmark = pytest.mark.django_db

LEASE = timedelta(seconds=30)


def claimed(**fields: object) -> Execution:
    queued = ExecutionFactory.create(status=Status.QUEUED, **fields)
    execution = transitions.claim(queued.pk, worker="a", now=NOON, lease=LEASE)
    assert execution is not None
    return execution


def test_claim_opens_an_attempt_and_sets_the_lease() -> None:
    execution = claimed()

    attempt = Attempt.objects.get(execution=execution)
    assert (execution.status, execution.attempt, execution.worker) == (Status.RUNNING, 1, "a")
    assert execution.lease_expires_at == NOON + LEASE
    assert (attempt.number, attempt.worker, attempt.started_at) == (1, "a", NOON)


def test_claim_brings_the_version_along(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    job = JobFactory.create(version__payload={"greeting": "grüß dich"}, version__max_attempts=7)
    queued = ExecutionFactory.create(job=job, status=Status.QUEUED)

    with django_assert_num_queries(1):
        execution = transitions.claim(queued.pk, worker="a", now=NOON, lease=LEASE)
        assert execution is not None
        assert execution.version.payload == {"greeting": "grüß dich"}
        assert execution.version.max_attempts == 7


@pytest.mark.parametrize("status", [Status.SCHEDULED, Status.RUNNING, Status.CANCELLED])
def test_claim_takes_only_what_is_queued(status: Status) -> None:
    execution = ExecutionFactory.create(status=status)

    assert transitions.claim(execution.pk, worker="a", now=NOON, lease=LEASE) is None
    assert not Attempt.objects.exists()


def test_success_ends_execution_and_attempt_and_writes_the_results_row(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    execution = claimed()
    output = [Chunk(NOON, "stdout", "hello\n")]

    with django_assert_num_queries(1):
        transitions.succeed(
            execution, now=NOON + LEASE, report=Report(result={"n": 1}, output=output)
        )

    execution.refresh_from_db()
    row = TaskResult.objects.get(task_id=execution.task_id)
    assert (execution.status, execution.result) == (Status.SUCCEEDED, {"n": 1})
    assert execution.attempts.get().outcome == Attempt.Outcome.SUCCEEDED
    assert execution.log_chunks.get().text == "hello\n"
    assert (row.status, row.result, row.worker) == ("SUCCESS", '{"n": 1}', "a")
    assert row.periodic_task_name == execution.job.name


def test_a_failed_try_counts_and_waits_in_the_table() -> None:
    execution = claimed()
    later = NOON + timedelta(minutes=5)

    report = Report(reason="raised", message="ValueError: no", trace="Traceback …")
    transitions.retry(execution, now=NOON, report=report, due_at=later)

    execution.refresh_from_db()
    assert (execution.status, execution.due_at, execution.failures) == ("scheduled", later, 1)
    assert execution.finished_at is None
    assert execution.attempts.get().trace == "Traceback …"
    assert TaskResult.objects.get(task_id=execution.task_id).status == "FAILURE"


def test_a_loss_is_not_a_failure() -> None:
    execution = claimed()

    transitions.lose(execution, now=NOON, report=Report(reason="worker_lost"))

    execution.refresh_from_db()
    assert (execution.failures, execution.losses, execution.status) == (0, 1, "scheduled")
    assert execution.attempts.get().outcome == Attempt.Outcome.LOST


def test_handing_back_counts_nothing() -> None:
    execution = claimed()

    transitions.hand_back(execution, now=NOON, report=Report(reason="stopped"))

    execution.refresh_from_db()
    assert (execution.failures, execution.losses, execution.due_at) == (0, 0, NOON)
    assert execution.attempts.get().outcome == Attempt.Outcome.HANDED_BACK


def test_late_worker_cannot_finish_a_rescued_execution() -> None:
    held = claimed()
    rescued = Execution.objects.get(pk=held.pk)
    transitions.lose(rescued, now=NOON, report=Report(reason="worker_lost"))

    with pytest.raises(StaleExecutionError):
        transitions.succeed(held, now=NOON, report=Report(result={}))

    rescued.refresh_from_db()
    assert rescued.status == Status.SCHEDULED
    assert rescued.attempts.get().outcome == Attempt.Outcome.LOST
    assert TaskResult.objects.get().status == "FAILURE"


def test_a_finished_execution_never_moves_again() -> None:
    execution = claimed()
    transitions.succeed(execution, now=NOON, report=Report())

    with pytest.raises(IllegalTransitionError):
        transitions.cancel(execution, now=NOON, actor="ann")
    with pytest.raises(IllegalTransitionError):
        transitions.fail(execution, now=NOON, report=Report())


@pytest.mark.parametrize("status", [Status.SCHEDULED, Status.QUEUED])
def test_cancel_before_the_start_leaves_no_attempt_but_an_event(status: Status) -> None:
    execution = ExecutionFactory.create(status=status)

    transitions.cancel(execution, now=NOON, actor="ann@example.org")

    assert Execution.objects.get().status == Status.CANCELLED
    assert (execution.events.get().what, execution.events.get().actor) == (
        "cancelled",
        "ann@example.org",
    )
    assert not TaskResult.objects.exists()


def test_cancel_of_a_waiting_retry_keeps_the_result_of_the_last_try() -> None:
    execution = claimed()
    transitions.retry(execution, now=NOON, report=Report(reason="raised"), due_at=NOON + LEASE)

    transitions.cancel(execution, now=NOON, actor="ann")

    assert TaskResult.objects.get().status == "FAILURE"
    assert execution.attempts.get().outcome == Attempt.Outcome.FAILED


def test_waiting_ends_when_somebody_else_says_so() -> None:
    execution = claimed()

    transitions.wait(execution, now=NOON, until=NOON + LEASE)
    transitions.succeed(execution, now=NOON, report=Report(result="ok"))

    assert execution.attempts.get().outcome == Attempt.Outcome.SUCCEEDED


@pytest.mark.parametrize("text", ["nul \x00 here", "lone \ud800 surrogate", "\\u0000 as text"])
def test_text_that_postgresql_cannot_hold_does_not_lose_the_outcome(text: str) -> None:
    execution = claimed()
    report = Report(reason="raised", message=text, trace=text, result={"text": text})

    transitions.fail(execution, now=NOON, report=report)

    assert Execution.objects.get().status == Status.FAILED


def test_an_endless_message_does_not_lose_the_outcome() -> None:
    execution = claimed()
    report = Report(reason="r" * 100, message="m" * 10**6, trace="t" * 10**6 + "the end")

    transitions.fail(execution, now=NOON, report=report)

    attempt = execution.attempts.get()
    assert (len(attempt.reason), len(attempt.message)) == (64, LONGEST_MESSAGE)
    assert attempt.trace.endswith("the end")


def test_the_database_refuses_a_lease_on_what_does_not_run() -> None:
    with pytest.raises(IntegrityError, match="lease_only_while_running"), transaction.atomic():
        ExecutionFactory.create(status=Status.QUEUED, lease_expires_at=NOON)


def test_the_database_refuses_an_end_on_what_is_unfinished() -> None:
    with pytest.raises(IntegrityError, match="finished_at_only"), transaction.atomic():
        ExecutionFactory.create(status=Status.QUEUED, finished_at=NOON)


@pytest.mark.django_db(transaction=True)
def test_of_eight_workers_one_wins_the_claim() -> None:
    queued = ExecutionFactory.create(status=Status.QUEUED)
    barrier = Barrier(8)

    def claim(number: int) -> bool:
        barrier.wait()
        try:
            won = transitions.claim(queued.pk, worker=str(number), now=NOON, lease=LEASE)
        finally:
            connection.close()
        return won is not None

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(claim, range(8))) == 1
    assert Attempt.objects.count() == 1

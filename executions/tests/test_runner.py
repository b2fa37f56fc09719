"""One execution from its message to its outcome."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import time
from copy import copy
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection, transaction

from executions import claims, clock, endings, leases, runner, settling, transitions
from executions.logs import Output
from executions.models import Attempt, Execution, Status
from executions.reports import Report
from executions.stops import Stop
from executions.transitions import StaleExecutionError
from jobs.kinds.base import Failed, Succeeded, Waiting
from jobs.kinds.functions import functions, job_function
from jobs.tests.contexts import a_context
from tests.factories import NOON, ExecutionFactory, JobFactory

if TYPE_CHECKING:
    from pytest_django.fixtures import DjangoAssertNumQueries

pytestmark = pytest.mark.django_db


def queued(kind: str = "noop", payload: dict[str, Any] | None = None, **version: Any) -> Execution:
    fields = {f"version__{name}": value for name, value in version.items()}
    job = JobFactory.create(kind=kind, version__payload=payload or {}, **fields)
    return ExecutionFactory.create(job=job, status=Status.QUEUED)


def calling(function: Any, **version: Any) -> Execution:
    """A queued execution of a job that calls ``function``."""
    name = f"test.{function.__qualname__}"
    if name not in functions():
        job_function(name)(function)
    return queued("python", {"function": name, "args": [], "kwargs": {}}, **version)


def fresh(execution: Execution) -> Execution:
    return Execution.objects.get(pk=execution.pk)


def test_a_noop_runs_to_its_end_in_two_round_trips(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    execution = queued(payload={"template": "weekly_digest"})
    clock.now()

    with django_assert_num_queries(2):
        outcome = runner.run(execution.pk, worker="a")

    assert isinstance(outcome, Succeeded)
    assert fresh(execution).result == {"template": "weekly_digest"}
    assert execution.log_chunks.exists()


def test_a_second_message_finds_nothing_to_run() -> None:
    execution = queued()
    runner.run(execution.pk, worker="a")

    assert runner.run(execution.pk, worker="b") is None

    assert execution.attempts.count() == 1


def breaks() -> None:
    raise ValueError("the disk is full of \x00 bytes")


def test_what_a_job_raises_is_a_failed_try_with_its_trace() -> None:
    execution = calling(breaks, retry_base_seconds=60, max_attempts=2)

    runner.run(execution.pk, worker="a")

    again = fresh(execution)
    attempt = execution.attempts.get()
    assert (again.status, again.failures, again.reason) == (Status.SCHEDULED, 1, "raised")
    assert again.due_at > clock.now()
    assert attempt.message.startswith("ValueError: the disk is full")
    assert "in breaks" in attempt.trace


def test_the_last_try_fails_for_good() -> None:
    execution = calling(breaks, max_attempts=1)

    runner.run(execution.pk, worker="a")

    assert fresh(execution).status == Status.FAILED
    assert list(Execution.objects.dead()) == [execution]


def prints() -> str:
    print("to stdout")  # noqa: T201  that is the story
    return "done"


def test_what_a_function_prints_is_its_output() -> None:
    execution = calling(prints)

    runner.run(execution.pk, worker="a")

    assert ("stdout", "to stdout\n") in list(execution.log_chunks.values_list("stream", "text"))
    assert fresh(execution).result == "done"


def never_ends() -> None:
    while True:
        time.sleep(0.01)


def test_a_function_is_stopped_at_its_time_limit() -> None:
    execution = calling(never_ends, timeout_seconds=0.3, max_attempts=1)

    outcome = runner.run(execution.pk, worker="a")

    assert isinstance(outcome, Failed)
    assert fresh(execution).reason == "timeout"


def leaves() -> None:
    sys.exit("bye")


def test_a_function_that_exits_has_failed_and_its_worker_has_not() -> None:
    execution = calling(leaves, max_attempts=1)

    runner.run(execution.pk, worker="a")

    assert (fresh(execution).status, fresh(execution).reason) == (Status.FAILED, "raised")
    assert "SystemExit: bye" in fresh(execution).message


def swallows() -> None:
    while True:
        with contextlib.suppress(Exception):
            time.sleep(0.01)


def test_a_function_that_catches_everything_is_stopped_all_the_same() -> None:
    execution = calling(swallows, timeout_seconds=0.3, max_attempts=1)

    runner.run(execution.pk, worker="a")

    assert fresh(execution).reason == "timeout"


def stops() -> Failed:
    return Failed("stopped", result=object())


def test_an_outcome_that_cannot_be_stored_is_a_failure_with_its_reason() -> None:
    execution = calling(stops, max_attempts=1)

    runner.run(execution.pk, worker="a")

    assert (fresh(execution).status, fresh(execution).reason) == (Status.FAILED, "bad_outcome")


def test_the_alarm_of_one_attempt_does_not_hit_the_next() -> None:
    def is_alarmed() -> str:
        signal.raise_signal(signal.SIGALRM)
        return "unharmed"

    execution = calling(is_alarmed)

    runner.run(execution.pk, worker="a")

    assert fresh(execution).result == "unharmed"


def test_an_edited_payload_replaces_the_job_s() -> None:
    execution = queued(payload={"a": 1})
    Execution.objects.filter(pk=execution.pk).update(payload={"a": 2})

    runner.run(execution.pk, worker="a")

    assert fresh(execution).result == {"a": 2}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("left", ["no autocommit", "blocks", "a broken block", "a closed block"])
def test_what_a_job_leaves_of_its_transactions_takes_no_outcome_with_it(left: str) -> None:
    def breaks_off() -> None:
        if left == "no autocommit":
            connection.set_autocommit(False)
            Execution.objects.count()
            return
        for _ in range(2):
            transaction.atomic().__enter__()  # as after an interrupt between two of its steps
        if left == "a broken block":
            connection.set_rollback(True)
        if left == "a closed block":
            connection.close()

    execution = calling(breaks_off)

    runner.run(execution.pk, worker="a")
    runner.run(queued().pk, worker="a")

    assert {one.status for one in Execution.objects.all()} == {Status.SUCCEEDED}
    assert not connection.in_atomic_block


@pytest.mark.django_db(transaction=True)
def test_output_can_be_read_while_the_job_runs() -> None:
    finish = threading.Event()

    def speaks() -> None:
        print("half way")  # noqa: T201  that is the story
        finish.wait(10)

    execution = calling(speaks)

    def run() -> None:
        try:
            runner.run(execution.pk, worker="a")
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        deadline = time.monotonic() + 5
        while not execution.log_chunks.exists() and time.monotonic() < deadline:
            finish.wait(0.05)
        assert execution.log_chunks.get().text == "half way\n"
        assert fresh(execution).status == Status.RUNNING
    finally:
        finish.set()
        thread.join()


def claimed(execution: Execution) -> tuple[Execution, leases.Held]:
    """``execution``, claimed, and its lease."""
    claimed = transitions.claim(execution.pk, worker="a", now=clock.now(), lease=leases.length())
    assert claimed is not None
    until = clock.ticks() + leases.seconds()
    return claimed, leases.Held(claimed.pk, claimed.attempt, a_context(), output(), until)


def output() -> Output:
    return Output(clock.now)


def test_work_that_was_done_before_the_stop_is_not_done_again() -> None:
    execution, lease = claimed(queued())
    lease.give_up(Stop.WORKER)

    settling.settle(execution, Succeeded({"done": True}), lease, output())

    assert fresh(execution).status == Status.SUCCEEDED


@pytest.mark.parametrize(
    ("stop", "reason"), [(Stop.LEASE, "lease_not_kept"), (Stop.WORKER, "worker_stopped")]
)
def test_a_stopped_attempt_is_given_back_whatever_it_says(stop: Stop, reason: str) -> None:
    execution, lease = claimed(queued(max_attempts=1))
    lease.give_up(stop)

    settling.settle(execution, Failed("stopped"), lease, output())

    assert (fresh(execution).status, fresh(execution).failures) == (Status.SCHEDULED, 0)
    attempt = execution.attempts.get()
    assert (attempt.outcome, attempt.reason) == (Attempt.Outcome.HANDED_BACK, reason)


def test_an_outcome_that_comes_after_the_rescue_is_kept_as_evidence_only() -> None:
    execution, lease = claimed(queued())
    transitions.lose(fresh(execution), now=clock.now(), report=Report(reason="worker_lost"))
    late = output()
    late.write("stdout", "I did it\n")

    settling.settle(execution, Succeeded({"n": 1}), lease, late)

    assert fresh(execution).status == Status.SCHEDULED
    assert execution.attempts.get().outcome == Attempt.Outcome.LOST
    event = execution.events.get()
    assert event.what == "late_outcome"
    assert event.detail == {"attempt": 1, "outcome": "succeeded", "result": {"n": 1}}
    assert (execution.log_chunks.get().attempt, execution.log_chunks.get().text) == (
        1,
        "I did it\n",
    )


def test_an_outcome_whose_answer_was_lost_is_not_late() -> None:
    execution, _ = claimed(queued())
    now = clock.now()
    endings.record(copy(execution), Succeeded(), now=now)

    with pytest.raises(StaleExecutionError):
        endings.record(execution, Succeeded(), now=now)
    endings.keep_late(execution, Succeeded(), now=now, output=[])

    assert not execution.events.exists()


def test_a_claim_whose_answer_was_lost_is_recognised() -> None:
    execution, _ = claimed(queued())
    tries = {execution.attempts.get().started_at: 7.0}

    assert claims.claimed_before([execution.pk], worker="a", tries=tries) == [(execution, 7.0)]
    assert claims.claimed_before([execution.pk], worker="b", tries=tries) == []
    assert claims.claimed_before([execution.pk], worker="a", tries={NOON: 0.0}) == []


def forks() -> str:
    if os.fork() == 0:
        sys.exit(3)
    return f"the copy ended with {os.waitstatus_to_exitcode(os.wait()[1])}"


def test_a_copy_that_a_job_forks_does_not_settle_for_it() -> None:
    execution = calling(forks)

    runner.run(execution.pk, worker="a")

    assert fresh(execution).result == "the copy ended with 3"


def waits() -> Waiting:
    print("ask ann")  # noqa: T201  that is the story
    return Waiting(NOON)


def test_a_function_may_leave_its_end_to_somebody_else() -> None:
    execution = calling(waits)

    runner.run(execution.pk, worker="a")

    assert (fresh(execution).status, fresh(execution).due_at) == (Status.WAITING, NOON)
    assert execution.log_chunks.get().text == "ask ann\n"
    assert execution.attempts.get().finished_at is None

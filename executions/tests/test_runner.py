"""One execution from its message to its outcome."""

from __future__ import annotations

import contextlib
import signal
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection

from executions import clock, leases, runner, transitions
from executions.logs import Output
from executions.models import Attempt, Execution, Status
from executions.transitions import Report
from jobs.kinds.base import Failed, Succeeded
from jobs.kinds.functions import functions, job_function
from jobs.tests.contexts import a_context
from tests.factories import ExecutionFactory, JobFactory

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


def test_a_worker_that_could_not_keep_its_lease_hands_back() -> None:
    execution = queued()
    held = transitions.claim(execution.pk, worker="a", now=clock.now(), lease=leases.length())
    assert held is not None

    runner.give_back(held, now=clock.now())

    again = fresh(execution)
    assert (again.status, again.failures, again.losses) == (Status.SCHEDULED, 0, 0)


def test_what_must_not_start_twice_fails_when_its_lease_is_not_kept() -> None:
    execution = queued(on_lost="fail")
    held = transitions.claim(execution.pk, worker="a", now=clock.now(), lease=leases.length())
    assert held is not None

    runner.give_back(held, now=clock.now())

    assert (fresh(execution).status, fresh(execution).reason) == (Status.FAILED, "lease_not_kept")


def test_work_that_was_done_before_the_stop_is_not_done_again() -> None:
    execution = queued()
    held = transitions.claim(execution.pk, worker="a", now=clock.now(), lease=leases.length())
    assert held is not None
    context = a_context()
    context.stop.set()

    runner._settle(held, Succeeded({"done": True}), context, _output())

    assert fresh(execution).status == Status.SUCCEEDED


def test_a_stopped_attempt_is_given_back_whatever_it_says() -> None:
    execution = queued(max_attempts=1)
    held = transitions.claim(execution.pk, worker="a", now=clock.now(), lease=leases.length())
    assert held is not None
    context = a_context()
    context.stop.set()

    runner._settle(held, Failed("stopped"), context, _output())

    assert (fresh(execution).status, fresh(execution).failures) == (Status.SCHEDULED, 0)


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


def test_an_outcome_that_comes_after_the_rescue_changes_nothing() -> None:
    execution = queued()
    held = transitions.claim(execution.pk, worker="a", now=clock.now(), lease=leases.length())
    assert held is not None
    transitions.lose(fresh(execution), now=clock.now(), report=Report(reason="worker_lost"))

    context = a_context()
    runner._settle(held, Succeeded({}), context, _output())

    assert fresh(execution).status == Status.SCHEDULED
    assert execution.attempts.get().outcome == Attempt.Outcome.LOST


def _output() -> Output:
    return Output(clock.now)


@pytest.mark.django_db(transaction=True)
def test_a_cancelled_execution_is_told_to_stop_at_the_next_renewal(settings: Any) -> None:
    settings.CHRONOS_LEASE_SECONDS = 3
    execution = queued()
    held = transitions.claim(execution.pk, worker="a", now=clock.now(), lease=leases.length())
    assert held is not None
    context = a_context()

    with leases.hold(held, context, _output(), since=clock.ticks()):
        assert not context.stop.wait(2.5)  # renewed meanwhile
        transitions.cancel(fresh(execution), now=clock.now(), actor="ann")
        assert context.stop.wait(5)


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

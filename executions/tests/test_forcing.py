"""What does not end by itself: settled from outside, on real threads and processes."""

from __future__ import annotations

import os
import signal
import threading
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection

from executions import clock, forcing, leases, runner, transitions
from executions.board import Board
from executions.models import Attempt, Execution, Status
from executions.stops import Stop
from jobs.kinds.functions import functions, job_function
from tests.factories import ExecutionFactory, JobFactory
from tests.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.django_db(transaction=True)

WORKER = "io@here"
LEASE = timedelta(seconds=30)


@pytest.fixture
def hung(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """The numbers of lost threads that a worker was told of; forcing comes soon."""
    told: list[int] = []
    monkeypatch.setattr(leases, "GRACE_SECONDS", 0.5)
    monkeypatch.setattr(leases, "force", leases.force)
    forcing.answer(WORKER, seats=None, nursery=None, died=lambda: None, hung=told.append)
    yield told
    forcing.answer("", seats=None, nursery=None, died=lambda: None, hung=lambda _: None)


class Hanging:
    """A job in a thread, as in an io worker, that listens to nobody until it is let go."""

    def __init__(self, **version: Any) -> None:
        self.let_go = threading.Event()
        name = f"test.hang.{id(self)}"
        job_function(name)(self._hang)
        assert name in functions()
        fields = {"timeout_seconds": 0.5, "max_attempts": 1, **version}
        job = JobFactory.create(
            kind="python",
            version__payload={"function": name, "args": [], "kwargs": {}},
            **{f"version__{field}": value for field, value in fields.items()},
        )
        self.execution = ExecutionFactory.create(job=job, status=Status.QUEUED)
        self._thread = threading.Thread(target=self._run)

    def _hang(self) -> str:
        self.let_go.wait(30)
        return "at last"

    def _run(self) -> None:
        try:
            runner.run(self.execution.pk, worker=WORKER)
        finally:
            connection.close()

    def __enter__(self) -> Hanging:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.let_go.set()
        self._thread.join()


def test_a_thread_that_hangs_beyond_its_limit_loses_its_attempt(hung: list[int]) -> None:
    with Hanging() as job:
        failed = Execution.objects.filter(pk=job.execution.pk, status=Status.FAILED)
        eventually(failed.exists, within=10)

        assert failed.get().reason == "timeout"
        assert hung == [1]

    event = job.execution.events.get()  # the thread came back after all
    assert (event.what, event.detail["result"]) == ("late_outcome", "at last")
    assert failed.exists()


def test_threads_that_came_back_are_not_counted(hung: list[int]) -> None:
    for _ in range(2):
        with Hanging() as job:
            failed = Execution.objects.filter(pk=job.execution.pk, status=Status.FAILED)
            eventually(failed.exists, within=10)

    assert hung == [1, 1]


@pytest.mark.usefixtures("hung")
def test_a_thread_that_ignores_the_end_of_its_worker_is_handed_back() -> None:
    with Hanging(timeout_seconds=60) as job:
        eventually(leases.held, within=10)
        for one in leases.held():
            one.give_up(Stop.WORKER)
        ended = Attempt.objects.filter(execution=job.execution, finished_at__isnull=False)
        eventually(ended.exists, within=10)

        assert (ended.get().outcome, ended.get().reason) == ("handed_back", "worker_stopped")


def claimed_by(pid: int) -> Execution:
    queued = ExecutionFactory.create(status=Status.QUEUED)
    execution = transitions.claim(queued.pk, worker=WORKER, now=clock.now(), lease=LEASE)
    assert execution is not None
    Attempt.objects.filter(execution=execution).update(pid=pid)
    return execution


@pytest.mark.usefixtures("hung")
def test_only_the_attempt_of_the_dead_process_is_settled() -> None:
    execution = claimed_by(pid=12345)

    forcing.lost([execution.pk], pid=54321, how="signal 9 (SIGKILL)")
    forcing.lost([execution.pk], pid=12345, how="exitcode 7")

    lost = execution.attempts.filter(outcome="lost")
    eventually(lost.exists, within=5)
    assert lost.get().reason == "worker_crashed"
    assert "exitcode 7" in lost.get().message


@pytest.mark.usefixtures("hung")
@pytest.mark.parametrize(
    ("end", "how"),
    [
        (lambda: os._exit(3), "exitcode 3"),
        (lambda: os.kill(os.getpid(), signal.SIGKILL), "signal 9 (SIGKILL)"),
    ],
)
def test_a_dead_child_keeps_no_lease_even_while_celery_is_stuck(end: Any, how: str) -> None:
    seats = Board("test", seats=2)
    execution = claimed_by(pid=1)
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        seat = seats.sit(1)
        assert seat is not None
        far = clock.ticks() + 60
        seat.take(execution.pk, execution.attempt, until=far, deadline=far)
        os.read(reader, 1)
        end()
    Attempt.objects.filter(execution=execution).update(pid=pid)
    (taken,) = eventually(seats.taken, within=5)
    assert (taken.pid, taken.execution_id, taken.attempt) == (pid, execution.pk, 1)
    assert forcing._is_alive(taken)

    os.write(writer, b".")
    eventually(lambda: not forcing._is_alive(taken), within=5)

    os.waitpid(pid, 0)
    lost = execution.attempts.filter(outcome="lost")
    eventually(lost.exists, within=5)
    assert how in lost.get().message
    assert seats.taken() == []

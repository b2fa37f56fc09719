"""Several executions on one message: run once each, whatever the others do."""

from __future__ import annotations

import threading
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection

from executions import batches, claims, clock, shutdown, transitions
from executions.models import Attempt, Execution, Status
from jobs.kinds.base import Failed, Succeeded
from jobs.kinds.functions import functions, job_function
from jobs.models import Job
from tests.factories import ExecutionFactory, JobFactory
from tests.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytest_django.fixtures import DjangoAssertNumQueries

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process in which executions took no time lately."""
    pace = batches.Pace()
    pace.seconds = 0.0001
    monkeypatch.setattr(batches, "pace", pace)


def job_of(function: Callable[..., Any], **version: Any) -> Job:
    name = f"test.{function.__module__}.{function.__qualname__}"
    if name not in functions():
        job_function(name)(function)
    payload = {"function": name, "args": [], "kwargs": {}}
    fields = {f"version__{field}": value for field, value in version.items()}
    return JobFactory.create(kind="python", version__payload=payload, **fields)


def queued(job: Job, number: int = 1) -> list[Execution]:
    return [ExecutionFactory.create(job=job, status=Status.QUEUED) for _ in range(number)]


def run(executions: list[Execution]) -> list[Any]:
    return [one.outcome for one in batches.run([one.pk for one in executions], worker="a")]


def statuses() -> Counter[str]:
    return Counter(Execution.objects.values_list("status", flat=True))


def fine() -> str:
    return "fine"


def fails() -> None:
    raise ValueError("no")


def unstorable() -> Succeeded:
    return Succeeded({"depth": float("nan")})


def test_short_ones_are_claimed_and_settled_in_two_statements(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    executions = queued(job_of(fine), 20)
    clock.now()

    with django_assert_num_queries(2):
        outcomes = run(executions)

    assert outcomes == [Succeeded("fine")] * 20
    assert statuses() == {"succeeded": 20}
    assert Attempt.objects.filter(outcome="succeeded", number=1).count() == 20


def test_each_ends_in_its_own_way() -> None:
    good, bad = queued(job_of(fine), 2), queued(job_of(fails, max_attempts=1), 2)

    run([good[0], bad[0], good[1], bad[1]])

    assert statuses() == {"succeeded": 2, "failed": 2}
    assert set(Execution.objects.dead()) == set(bad)
    assert {one.attempts.get().message for one in bad} == {"ValueError: no"}


def test_what_cannot_be_stored_spoils_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jobs.kinds.python._as_json", lambda value: value)
    bad = queued(job_of(unstorable, max_attempts=1))

    run([*queued(job_of(fine), 3), *bad])

    assert statuses() == {"succeeded": 3, "failed": 1}
    assert Execution.objects.get(pk=bad[0].pk).reason == "bad_outcome"


def test_what_is_not_there_to_be_claimed_is_left_out() -> None:
    one, cancelled, other = queued(job_of(fine), 3)
    transitions.cancel(cancelled, now=clock.now(), actor="ann")

    assert len(run([one, one, cancelled, other])) == 2

    assert statuses() == {"succeeded": 2, "cancelled": 1}


def test_what_others_settled_meanwhile_is_kept_as_evidence() -> None:
    def cancels_all() -> None:
        for row in Execution.objects.filter(status=Status.RUNNING):
            transitions.cancel(row, now=clock.now(), actor="ann")

    executions = queued(job_of(cancels_all), 2)

    run(executions)

    assert statuses() == {"cancelled": 2}
    assert executions[0].events.filter(what="late_outcome").exists()


def test_a_worker_that_stops_claims_nothing_more(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = threading.Event()
    monkeypatch.setattr(shutdown, "asked", asked.is_set)
    executions = queued(job_of(fine), 3) + queued(job_of(asked.set))
    batches.pace.seconds = 1.0  # one by one

    run([executions[3], *executions[:3]])

    assert statuses() == {"succeeded": 1, "queued": 3}


def test_how_many_are_taken_on_together_follows_from_how_long_they_took() -> None:
    pace = batches.Pace()
    assert pace.fitting() == 1

    for _ in range(60):
        pace.observe(0.0002)
    assert pace.fitting() > 50

    pace.observe(30.0)
    assert pace.fitting() == 1
    for _ in range(60):
        pace.observe(0.0002)
    assert pace.fitting() > 10


def test_only_one_that_runs_holds_up_others() -> None:
    """A claim or a settlement that waits for the database does not: nobody else were quicker."""
    some = queued(job_of(fine), 2)
    hand = batches.Hand([one.pk for one in some])
    later = clock.ticks() + 60
    assert not hand.stuck(later)

    hand.hold(claims.claim(hand.ids(1), worker="a"))
    assert not hand.stuck(later)
    assert hand.begin()
    assert hand.stuck(later)
    assert not hand.begin()
    assert not hand.stuck(later)


class Gate:
    """A job that holds up its worker until it is let go."""

    def __init__(self) -> None:
        self.entered = threading.Event()
        self.open = threading.Event()

    def pass_through(self) -> str:
        self.entered.set()
        self.open.wait(30)
        return "at last"


@pytest.fixture
def gate() -> Iterator[Gate]:
    gate = Gate()
    job_function(f"test.gate.{id(gate)}")(gate.pass_through)
    yield gate
    gate.open.set()


@pytest.mark.django_db(transaction=True)
def test_one_that_takes_long_holds_up_nobody_behind_it(gate: Gate) -> None:
    payload = {"function": f"test.gate.{id(gate)}", "args": [], "kwargs": {}}
    slow = queued(JobFactory.create(kind="python", version__payload=payload))
    before, behind = queued(job_of(fine)), queued(job_of(fine), 2)

    def work() -> None:
        run([*before, *slow, *behind])
        connection.close()

    thread = threading.Thread(target=work)
    thread.start()
    assert gate.entered.wait(10)
    returned = Execution.objects.filter(pk__in=[one.pk for one in behind], status="scheduled")
    eventually(lambda: returned.count() == 2, within=10)
    eventually(lambda: Execution.objects.get(pk=before[0].pk).status == "succeeded", within=10)
    gate.open.set()
    thread.join()

    assert statuses() == {"succeeded": 2, "scheduled": 2}
    attempts = Attempt.objects.filter(execution__in=behind)
    assert set(attempts.values_list("outcome", "reason")) == {("handed_back", "held_up")}
    assert set(returned.values_list("losses", "failures")) == {(0, 0)}


def test_failures_count_for_each(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    executions = queued(job_of(fails, max_attempts=3), 5)
    clock.now()

    with django_assert_num_queries(2):
        outcomes = run(executions)

    assert all(isinstance(one, Failed) for one in outcomes)
    assert set(Execution.objects.values_list("status", "failures")) == {("scheduled", 1)}

"""How many executions of a queue are let in: window, concurrency, and races for both."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction

from executions import admission, dispatch, scheduler
from executions.models import Execution, Queue, Status, Worker, lines
from executions.tests.crowds import crowd, in_parallel
from jobs.models import Job, Limit
from tests.factories import NOON, ExecutionFactory, JobFactory, QueueFactory, ScheduleFactory

pytestmark = pytest.mark.django_db

SECOND = timedelta(seconds=1)


def queued() -> int:
    return Execution.objects.filter(status=Status.QUEUED).count()


def admit(name: str = "mail", *, limit: int = 500) -> admission.Admitted:
    return admission.admit(name, now=NOON, limit=limit, slots={})


def _job(**version: Any) -> Job:
    return JobFactory.create(**{f"version__{name}": value for name, value in version.items()})


def _with_limit() -> Execution:
    job = JobFactory.create()
    limit = Limit.objects.create(team=job.team, name="mail", concurrency=1)
    return ExecutionFactory.create(job=job, limit=limit, limit_key=str(limit.pk))


def _after_an_unfinished_slot(overlap: str) -> Execution:
    schedule = ScheduleFactory.create(overlap=overlap)
    slots = [NOON - SECOND, NOON]
    *_, last = [
        ExecutionFactory.create(job=schedule.job, schedule=schedule, scheduled_for=at)
        for at in slots
    ]
    return last


@pytest.mark.parametrize(
    ("make", "is_free"),
    [
        (ExecutionFactory.create, True),
        (lambda: ExecutionFactory.create(attempt=1, failures=1), True),
        (lambda: _after_an_unfinished_slot("allow"), True),
        (lambda: _after_an_unfinished_slot("skip"), False),
        (lambda: ExecutionFactory.create(attempt=1, losses=1), False),
        (lambda: ExecutionFactory.create(job=_job(on_lost="fail")), False),
        (lambda: ExecutionFactory.create(job=_job(concurrency=1)), False),
        (lambda: ExecutionFactory.create(job=JobFactory.create(archived_at=NOON)), False),
        (_with_limit, False),
    ],
)
def test_only_what_nothing_but_room_can_keep_is_not_weighed_up(
    make: Callable[[], Execution], is_free: bool
) -> None:
    execution = make()

    with transaction.atomic():
        ((pk, *_, told),) = lines.lock([execution.pk])

    assert (pk, told) == (execution.pk, is_free)


def test_no_more_than_the_window_is_queued_and_the_rest_waits() -> None:
    QueueFactory.create(name="mail", window=7)
    crowd(JobFactory.create(), 30, queue="mail")

    admit()
    admit()

    assert queued() == 7
    assert Execution.objects.filter(status=Status.SCHEDULED).count() == 23


def test_the_window_is_at_least_five_hundred_and_grows_with_the_slots_of_the_fleet() -> None:
    queue = QueueFactory.create(name="mail")
    Worker.objects.create(
        name="w", pid=1, version="1", fleet="io", slots=400, started_at=NOON, heartbeat_at=NOON
    )

    room = admission.room_in(queue, dispatch.slots_of_fleets(NOON))

    assert room.fleets == {"io": 1200, "compute": 500}


def test_work_that_nobody_consumes_does_not_hold_up_the_other_fleet() -> None:
    QueueFactory.create(name="mail", window=5)
    crowd(JobFactory.create(kind="python"), 20, queue="mail", due_at=NOON - SECOND)
    admit()
    crowd(JobFactory.create(kind="http"), 3, queue="mail")

    assert {row.kind for row in admit().ready} == {"http"}
    assert queued() == 5 + 3


def test_the_concurrency_of_a_queue_counts_what_runs_and_what_is_queued() -> None:
    QueueFactory.create(name="mail", concurrency=4)
    job = JobFactory.create()
    crowd(job, 2, queue="mail", status=Status.RUNNING)
    crowd(job, 20, queue="mail")

    assert len(admit().ready) == 2
    assert admit().handled == 0


def test_a_batch_is_bounded() -> None:
    QueueFactory.create(name="mail")
    crowd(JobFactory.create(), 20, queue="mail")

    assert admit(limit=8).handled == 8


def test_a_paused_queue_lets_nothing_in() -> None:
    QueueFactory.create(name="mail", paused_at=NOON)
    ExecutionFactory.create(queue="mail")

    assert admit().handled == 0
    assert queued() == 0


def test_a_queue_without_a_row_gets_one() -> None:
    Queue.objects.all().delete()
    ExecutionFactory.create()
    ExecutionFactory.create(queue="lost")

    assert dispatch.queue_due(NOON) == 2
    assert set(Queue.objects.values_list("pk", flat=True)) == {"default", "lost"}


def test_what_still_waits_when_its_job_is_archived_is_cancelled() -> None:
    job = JobFactory.create(archived_at=NOON)
    execution = ExecutionFactory.create(job=job)

    assert dispatch.queue_due(NOON) == 1

    execution.refresh_from_db()
    assert (execution.status, execution.reason) == (Status.CANCELLED, "job_archived")
    assert execution.events.get().what == "cancelled"


def test_the_direct_road_does_not_overtake_those_who_wait() -> None:
    QueueFactory.create(name="mail", window=2)
    job = JobFactory.create()
    crowd(job, 2, queue="mail", due_at=NOON - SECOND)
    mine = ExecutionFactory.create(job=job, queue="mail")

    dispatch.queue_one(mine, now=NOON)
    assert queued() == 0

    dispatch.queue_due(NOON)
    assert queued() == 2
    mine.refresh_from_db()
    assert mine.status == Status.SCHEDULED


@pytest.mark.django_db(transaction=True)
def test_three_beats_and_the_web_at_once_never_exceed_window_and_concurrency() -> None:
    QueueFactory.create(name="mail", window=20)
    QueueFactory.create(name="post", concurrency=5)
    job = JobFactory.create(version__queue="mail")
    crowd(job, 100, queue="mail")
    crowd(job, 100, queue="post")

    def road(index: int) -> None:
        for _ in range(5):
            if index < 3:
                dispatch.queue_due(NOON, limit=8)
            else:
                scheduler.run_now(job, now=NOON, actor="ann")

    in_parallel(5, road)
    while dispatch.queue_due(NOON):  # each may have found the queue locked by another every time
        pass

    assert Execution.objects.filter(queue="mail", status=Status.QUEUED).count() == 20
    assert Execution.objects.filter(queue="post", status=Status.QUEUED).count() == 5
    assert Execution.objects.exclude(publishes=0).count() == 25


@pytest.mark.django_db(transaction=True)
def test_who_finds_the_queue_locked_leaves_it_to_the_other() -> None:
    QueueFactory.create(name="mail")
    execution = ExecutionFactory.create(queue="mail")

    def road(index: int) -> None:
        dispatch.queue_one(execution, now=NOON)

    with transaction.atomic():
        Queue.objects.filter(pk="mail").lock_free(1).get()
        in_parallel(1, road)

    execution.refresh_from_db()
    assert execution.status == Status.SCHEDULED
    assert Job.objects.exists()

"""What nothing holds back is queued in one statement; all else is weighed up."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from executions import dispatch, express, transitions
from executions.models import Execution, Queue, Status
from executions.models.lines import AGEING
from executions.tests.crowds import crowd, in_parallel
from jobs.models import Limit
from jobs.policies import Overlap, Priority
from tests.factories import NOON, ExecutionFactory, JobFactory, QueueFactory, ScheduleFactory

pytestmark = pytest.mark.django_db

SECOND = timedelta(seconds=1)


def go(window: int = 500) -> tuple[list[Execution], bool]:
    return transitions.queue_unhindered(NOON, window=window)


def test_what_is_due_is_queued_with_all_that_its_message_says() -> None:
    execution = ExecutionFactory.create(kind="http", attempt=2)

    (queued,), is_rest = go()

    execution.refresh_from_db()
    assert (queued.pk, queued.kind, queued.queue, queued.attempt) == (
        execution.pk,
        "http",
        "default",
        2,
    )
    assert queued.publish_at == execution.publish_at == NOON + transitions.PUBLISH_AGAIN
    assert (execution.status, execution.queued_at, execution.publishes) == ("queued", NOON, 1)
    assert not is_rest


@pytest.mark.parametrize("priority", Priority)
@pytest.mark.parametrize("minutes", [0, 1, 3, 10])
@pytest.mark.parametrize(
    "tries", [{}, {"attempt": 1, "failures": 1}, {"attempt": 2, "failures": 1}]
)
def test_the_lane_is_that_of_whoever_is_weighed_up(
    priority: Priority, minutes: int, tries: dict[str, int]
) -> None:
    waits = {"due_at": NOON - minutes * AGEING, "created_at": NOON - minutes * AGEING}
    execution = ExecutionFactory.create(priority=priority, **waits, **tries)

    (queued,), _ = go()

    assert queued.lane == execution.lane_at(NOON)


def test_the_usual_case_costs_one_statement() -> None:
    for _ in range(3):
        ScheduleFactory.create()
        ExecutionFactory.create()

    with CaptureQueriesContext(
        connection,
    ) as statements:
        assert dispatch.queue_due(NOON) == 3

    assert len(statements) == 1


def limited() -> dict[str, Any]:
    job = JobFactory.create()
    return {"job": job, "limit": Limit.objects.create(team=job.team, name="x", concurrency=1)}


def overlapping() -> dict[str, Any]:
    schedule = ScheduleFactory.create(overlap=Overlap.QUEUE)
    of_one = {"job": schedule.job, "schedule": schedule}
    ExecutionFactory.create(**of_one, scheduled_for=NOON - SECOND, status=Status.RUNNING)
    return of_one | {"scheduled_for": NOON}


@pytest.mark.parametrize(
    "held_back",
    [
        limited,
        overlapping,
        lambda: {"job": JobFactory.create(version__concurrency=1)},
        lambda: {"job": JobFactory.create(archived_at=NOON)},
        lambda: {"queue": QueueFactory.create(name="few", concurrency=1).name},
        lambda: {"queue": QueueFactory.create(name="narrow", window=1).name},
        lambda: {"queue": QueueFactory.create(name="paused", paused_at=NOON).name},
        lambda: {"queue": "nobody-made-it"},
    ],
    ids=["limit", "overlap", "job", "archived", "concurrency", "window", "paused", "no queue"],
)
def test_what_may_be_held_back_is_left_with_its_whole_queue(held_back: Any) -> None:
    held = ExecutionFactory.create(**held_back())
    other = ExecutionFactory.create(queue=held.queue)

    queued, is_rest = go()

    assert (queued, is_rest) == ([], True)
    assert set(Execution.objects.filter(status=Status.SCHEDULED)) == {held, other}


def test_a_queue_that_must_be_weighed_up_holds_up_no_other() -> None:
    ExecutionFactory.create(**limited())
    other = ExecutionFactory.create(queue=QueueFactory.create(name="free").name)

    queued, is_rest = go()

    assert ([row.pk for row in queued], is_rest) == ([other.pk], True)


def test_a_retry_of_a_slot_overlaps_with_nobody() -> None:
    ExecutionFactory.create(**overlapping(), attempt=1)

    assert len(go()[0]) == 1


def test_two_slots_of_a_schedule_are_weighed_up_together() -> None:
    schedule = ScheduleFactory.create(overlap=Overlap.SKIP)
    for slot in (NOON - SECOND, NOON):
        ExecutionFactory.create(job=schedule.job, schedule=schedule, scheduled_for=slot)

    assert go() == ([], True)


def test_no_more_than_the_window_is_let_in() -> None:
    job = JobFactory.create()
    crowd(job, 8, status=Status.QUEUED)
    crowd(job, 3)

    assert go(window=10) == ([], True)
    assert len(go(window=11)[0]) == 3


def test_a_crowd_is_left_to_those_who_weigh_up() -> None:
    crowd(JobFactory.create(), express.MOST + 1)

    assert go() == ([], True)


def test_what_may_not_start_any_more_is_neither_queued_nor_in_the_way() -> None:
    late = ExecutionFactory.create(start_by=NOON - SECOND)
    ExecutionFactory.create()

    queued, _ = go()

    late.refresh_from_db()
    assert (len(queued), late.status) == (1, Status.SCHEDULED)


def test_what_is_blocked_is_asked_after() -> None:
    ExecutionFactory.create(blocked_on="job:x")

    assert go() == ([], True)


@pytest.mark.django_db(transaction=True)
def test_who_finds_the_queue_or_a_row_locked_waits_for_nobody() -> None:
    Queue.objects.get_or_create(name="default")
    execution = ExecutionFactory.create()
    found = []

    with transaction.atomic():
        Queue.objects.filter(pk="default").lock_free(1).get()
        in_parallel(1, lambda _: found.append(go()))
    with transaction.atomic():
        Execution.objects.filter(pk=execution.pk).lock_free(1).get()
        in_parallel(1, lambda _: found.append(go()))

    assert [queued for queued, _ in found] == [[], []]


@pytest.mark.django_db(transaction=True)
def test_of_many_at_once_each_is_queued_by_one() -> None:
    Queue.objects.get_or_create(name="default")
    for _ in range(20):
        ExecutionFactory.create()
    found: list[Execution] = []

    in_parallel(4, lambda _: found.extend(go()[0]))
    found.extend(go()[0])

    assert len(found) == len({row.pk for row in found}) == 20
    assert set(Execution.objects.values_list("publishes", flat=True)) == {1}

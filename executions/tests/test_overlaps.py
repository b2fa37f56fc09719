"""Slots that are due while earlier ones are unfinished, from the schedule to the worker."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from executions import dispatch, overlaps, scheduler, transitions
from executions.models import UNFINISHED, Execution, Status
from executions.reports import Report
from jobs.policies import Misfire, Overlap
from tests.factories import NOON, ScheduleFactory

if TYPE_CHECKING:
    from jobs.models import Schedule

pytestmark = pytest.mark.django_db

MINUTE = timedelta(minutes=1)
LEASE = timedelta(seconds=30)


def tick(minute: float) -> datetime:
    """Let a beat look at NOON plus ``minute``."""
    now = NOON + minute * MINUTE
    scheduler.fire_due(now)
    dispatch.queue_due(now)
    return now


def statuses() -> list[str]:
    return [str(row.status) for row in Execution.objects.order_by("scheduled_for")]


def run(now: datetime) -> Execution:
    """Let a worker start the one that is queued."""
    queued = Execution.objects.get(status=Status.QUEUED)
    claimed = transitions.claim(queued.pk, worker="w", now=now, lease=LEASE)
    assert claimed is not None
    return claimed


def finish(execution: Execution, now: datetime) -> None:
    transitions.succeed(execution, now=now, report=Report())


@pytest.mark.parametrize(
    ("overlap", "after_four_slots"),
    [
        (Overlap.SKIP, ["running", "skipped", "skipped", "skipped"]),
        (Overlap.QUEUE, ["running", "scheduled", "skipped", "skipped"]),
        (Overlap.QUEUE_ALL, ["running", "scheduled", "scheduled", "scheduled"]),
        (Overlap.CANCEL_PREVIOUS, ["cancelled", "cancelled", "cancelled", "queued"]),
        (Overlap.ALLOW, ["running", "queued", "queued", "queued"]),
    ],
)
def test_each_policy_while_the_first_slot_runs(
    overlap: Overlap, after_four_slots: list[str]
) -> None:
    ScheduleFactory.create(overlap=overlap)
    run(tick(0))
    for minute in (1, 2, 3):
        tick(minute)

    assert statuses() == after_four_slots


@pytest.mark.parametrize("overlap", [Overlap.QUEUE, Overlap.QUEUE_ALL])
def test_whoever_waits_goes_when_the_one_before_is_finished(overlap: Overlap) -> None:
    schedule = ScheduleFactory.create(overlap=overlap)
    first = run(tick(0))
    tick(1)
    assert Execution.objects.get(status=Status.SCHEDULED).blocked_on == f"overlap:{schedule.pk}"

    finish(first, NOON + 1.5 * MINUTE)
    tick(1.5)

    assert statuses() == ["succeeded", "queued"]


def test_slots_that_all_wait_run_one_after_the_other_in_order() -> None:
    ScheduleFactory.create(overlap=Overlap.QUEUE_ALL)
    first = run(tick(0))
    for minute in (1, 2, 3):
        tick(minute)
    finish(first, NOON + 3 * MINUTE)
    order = []
    for step in (3.2, 3.4, 3.6):
        now = tick(step)
        running = run(now)
        order.append(running.scheduled_for)
        tick(step + 0.1)
        assert Execution.objects.in_flight().count() == 1
        finish(running, now)

    assert order == [NOON + minute * MINUTE for minute in (1, 2, 3)]


def backlog(schedule: Schedule) -> None:
    """Nobody has looked for ten minutes."""
    tick(10)
    assert Execution.objects.filter(schedule=schedule).count() == 11


@pytest.mark.parametrize("overlap", [Overlap.SKIP, Overlap.QUEUE, Overlap.CANCEL_PREVIOUS])
def test_slots_that_are_made_up_for_run_one_after_the_other(overlap: Overlap) -> None:
    schedule = ScheduleFactory.create(overlap=overlap, misfire=Misfire.ALL)
    backlog(schedule)
    for step in range(11):
        now = tick(10 + step / 100)
        running = run(now)
        assert running.scheduled_for == NOON + step * MINUTE
        finish(running, now)

    assert statuses() == ["succeeded"] * 11


def test_made_up_slots_run_side_by_side_where_overlap_is_allowed() -> None:
    schedule = ScheduleFactory.create(overlap=Overlap.ALLOW, misfire=Misfire.ALL)
    backlog(schedule)

    assert Execution.objects.in_flight().count() == 11


def test_a_cancelled_predecessor_names_the_policy() -> None:
    ScheduleFactory.create(overlap=Overlap.CANCEL_PREVIOUS)
    first = run(tick(0))
    tick(1)

    first.refresh_from_db()
    event = first.events.get()
    assert (first.status, event.actor) == (Status.CANCELLED, overlaps.ACTOR)
    assert first.attempts.get().outcome == "cancelled"


def test_of_slots_that_come_at_once_only_the_newest_replaces_the_others() -> None:
    ScheduleFactory.create(overlap=Overlap.CANCEL_PREVIOUS, every_seconds=1)
    scheduler.fire_due(NOON + timedelta(seconds=4))
    dispatch.queue_due(NOON + timedelta(seconds=4))

    assert statuses() == ["cancelled"] * 4 + ["queued"]


def test_a_manual_start_overlaps_with_nothing() -> None:
    schedule = ScheduleFactory.create(overlap=Overlap.SKIP)
    run(tick(0))
    execution = scheduler.run_now(schedule.job, now=NOON, actor="ann")
    dispatch.queue_due(NOON)

    execution.refresh_from_db()
    assert execution.status == Status.QUEUED


def test_skips_cost_the_same_however_many_they_are() -> None:
    def cost(number: int) -> int:
        ScheduleFactory.create(overlap=Overlap.SKIP, every_seconds=1)
        scheduler.fire_due(NOON + timedelta(seconds=number))
        with CaptureQueriesContext(connection) as captured:
            dispatch.queue_due(NOON + timedelta(seconds=number))
        return len(captured)

    few = cost(2)
    assert cost(50) <= few + 1
    assert Execution.objects.filter(status=Status.SKIPPED).count() == 100
    assert Execution.objects.filter(status=Status.SKIPPED, events__what="skipped").count() == 100


def test_the_earliest_slots_are_found_by_their_index() -> None:
    schedule = ScheduleFactory.create(overlap=Overlap.QUEUE_ALL, misfire=Misfire.ALL)
    schedule.every_seconds = 1
    schedule.save()
    for _ in range(20):
        scheduler.fire_due(NOON + timedelta(hours=2))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE executions_execution")

    with CaptureQueriesContext(connection) as captured:
        found = overlaps.earliest([schedule.pk])
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {captured[0]['sql']}")
        plan = "\n".join(row[0] for row in cursor.fetchall())

    assert [slot.at for slot in found[schedule.pk]] == [NOON, NOON + timedelta(seconds=1)]
    assert "execution_unfinished_idx" in plan
    assert Execution.objects.filter(status__in=UNFINISHED).count() > 5000

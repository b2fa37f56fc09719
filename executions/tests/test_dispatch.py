"""From due to queued: order, overlap, pauses, and a broker that is away."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from celery import current_app
from kombu.pools import ProducerPool

from executions import broker, dispatch, scheduler, transitions
from executions.models import Execution, Status
from executions.tests.crowds import crowd
from jobs.policies import Overlap, Priority
from tests.factories import NOON, ExecutionFactory, JobFactory, QueueFactory, ScheduleFactory

pytestmark = pytest.mark.django_db

MINUTE = timedelta(minutes=1)


def statuses() -> dict[Any, str]:
    return dict(Execution.objects.values_list("scheduled_for", "status"))


def test_what_is_due_is_queued_and_published() -> None:
    execution = ExecutionFactory.create()

    assert dispatch.queue_due(NOON) == 1

    execution.refresh_from_db()
    assert (execution.status, execution.queued_at, execution.publishes) == ("queued", NOON, 1)
    assert execution.publish_at == NOON + transitions.PUBLISH_AGAIN


def test_nothing_is_queued_early() -> None:
    ExecutionFactory.create(due_at=NOON + timedelta(milliseconds=1))

    assert dispatch.queue_due(NOON) == 0


def test_the_most_important_goes_first_then_the_longest_due() -> None:
    QueueFactory.create(name="mail", window=2)
    of_one = {"job": JobFactory.create(), "queue": "mail"}
    late = ExecutionFactory.create(**of_one, due_at=NOON - MINUTE)
    later = ExecutionFactory.create(**of_one, due_at=NOON - 2 * MINUTE)
    urgent = ExecutionFactory.create(**of_one, priority=Priority.CRITICAL)

    dispatch.queue_due(NOON)

    assert set(Execution.objects.in_flight()) == {urgent, later}
    assert Execution.objects.get(status=Status.SCHEDULED) == late


def test_a_paused_queue_lets_nothing_through_and_nobody_waits_for_it() -> None:
    QueueFactory.create(name="mail", paused_at=NOON)
    ExecutionFactory.create(queue="mail")
    other = ExecutionFactory.create()

    assert dispatch.queue_due(NOON) == 1
    assert Execution.objects.get(status=Status.QUEUED) == other


def test_the_backlog_of_a_queue_does_not_keep_the_others_waiting() -> None:
    crowd(JobFactory.create(version__concurrency=1), 40, queue="crowded")
    other = ExecutionFactory.create(queue="quiet")

    assert dispatch.queue_due(NOON, limit=10) == 10

    other.refresh_from_db()
    assert other.status == Status.QUEUED


def test_a_queue_that_cannot_be_decided_about_stops_no_other() -> None:
    schedule = ScheduleFactory.create(overlap="unheard of")
    of_one = {"job": schedule.job, "schedule": schedule, "queue": "broken"}
    ExecutionFactory.create(**of_one, scheduled_for=NOON - MINUTE, status=Status.RUNNING)
    broken = ExecutionFactory.create(**of_one, scheduled_for=NOON)
    other = ExecutionFactory.create(queue="whole")

    assert dispatch.queue_due(NOON) == 1

    broken.refresh_from_db()
    other.refresh_from_db()
    assert (broken.status, other.status) == (Status.SCHEDULED, Status.QUEUED)


def test_a_slot_whose_predecessor_is_unfinished_is_skipped() -> None:
    schedule = ScheduleFactory.create(overlap=Overlap.SKIP)
    scheduler.fire_due(NOON)
    dispatch.queue_due(NOON)
    scheduler.fire_due(NOON + MINUTE)

    dispatch.queue_due(NOON + MINUTE)

    skipped = Execution.objects.get(scheduled_for=NOON + MINUTE)
    assert statuses() == {NOON: "queued", NOON + MINUTE: "skipped"}
    assert (skipped.reason, skipped.events.get().what) == ("overlap", "skipped")
    assert schedule.pk == skipped.schedule_id


def test_a_schedule_may_allow_overlap() -> None:
    ScheduleFactory.create(overlap=Overlap.ALLOW)
    scheduler.fire_due(NOON)
    dispatch.queue_due(NOON)
    scheduler.fire_due(NOON + MINUTE)

    dispatch.queue_due(NOON + MINUTE)

    assert set(statuses().values()) == {"queued"}


def test_a_kind_that_this_beat_does_not_know_stops_nobody() -> None:
    ExecutionFactory.create(kind="fax")
    ExecutionFactory.create()

    assert dispatch.queue_due(NOON) == 2

    assert Execution.objects.filter(status=Status.QUEUED).count() == 2


def test_a_retry_is_never_skipped_for_overlap() -> None:
    schedule = ScheduleFactory.create(overlap=Overlap.SKIP)
    job = schedule.job
    for attempt, slot in ((1, NOON), (1, NOON + MINUTE)):
        ExecutionFactory.create(job=job, schedule=schedule, scheduled_for=slot, attempt=attempt)

    dispatch.queue_due(NOON + MINUTE)

    assert set(statuses().values()) == {"queued"}


def test_a_broker_that_is_away_loses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    nowhere = current_app.connection_for_write("redis://127.0.0.1:1/0").Pool(limit=1)
    producers = ProducerPool(connections=nowhere, Producer=current_app.amqp.Producer, limit=1)
    monkeypatch.setattr(current_app.amqp, "_producer_pool", producers)
    monkeypatch.setattr(broker, "_asked_again_at", 0.0)
    execution = ExecutionFactory.create()

    dispatch.queue_due(NOON)

    execution.refresh_from_db()
    assert execution.status == Status.QUEUED
    assert list(Execution.objects.overdue_message(NOON + MINUTE)) == [execution]


@pytest.mark.django_db(transaction=True)
def test_a_manual_start_is_queued_without_waiting_for_a_beat() -> None:
    job = JobFactory.create()

    execution = scheduler.run_now(job, now=NOON, actor="ann")

    execution.refresh_from_db()
    assert execution.status == Status.QUEUED


@pytest.mark.django_db(transaction=True)
def test_a_start_for_later_waits_for_its_instant() -> None:
    execution = scheduler.run_now(JobFactory.create(), now=NOON, actor="ann", run_at=NOON + MINUTE)

    execution.refresh_from_db()
    assert execution.status == Status.SCHEDULED

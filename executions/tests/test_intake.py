"""A wanted execution is stored with its event, and queued at once where nobody has to be asked."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.forms.models import model_to_dict

from executions import dispatch, intake, scheduler
from executions.models import Beat, Execution, Origin, Status, Worker
from executions.models.execution import Seen
from executions.tests.crowds import crowd
from jobs.models import Job, Limit
from jobs.policies import Priority
from tests.factories import NOON, ExecutionFactory, JobFactory, QueueFactory

pytestmark = pytest.mark.django_db

LATER = NOON + timedelta(hours=1)


def take_in(job: Job, **fields: Any) -> Execution:
    given: dict[str, Any] = {"now": NOON, "due_at": NOON, "origin": Origin.MANUAL} | fields
    execution = Execution.of(job, **given)
    intake.take_in(execution, actor="ann", reason="", now=NOON)
    return execution


def limited(**payload: Any) -> Job:
    limit = Limit.objects.create(team=JobFactory.create().team, name="m", by="host", concurrency=9)
    return JobFactory.create(
        team=limit.team,
        version__limit=limit,
        version__payload=payload,
        version__queue="mail",
        version__start_deadline_seconds=90,
    )


@pytest.mark.parametrize("payload", [None, {}, {"host": "ä\n\"'%s"}, {"n": [1.5, None, True]}])
def test_what_is_stored_is_what_the_orm_would_store(payload: dict[str, Any] | None) -> None:
    job = limited(host="a")
    stored = take_in(job, payload=payload, due_at=LATER)
    by_hand = Execution.of(job, now=NOON, due_at=LATER, origin=Origin.MANUAL, payload=payload)
    by_hand.save(force_insert=True)

    rows = [Execution.objects.get(pk=one.pk) for one in (stored, by_hand)]

    assert model_to_dict(rows[0]) == model_to_dict(rows[1])
    assert rows[0].created_at == rows[1].created_at == NOON


def test_its_event_tells_who_wanted_it_and_why() -> None:
    execution = Execution.of(JobFactory.create(), now=NOON, due_at=NOON, origin=Origin.MANUAL)

    intake.take_in(execution, actor="ann", reason='the "mail" was empty', now=NOON)

    event = execution.events.get()
    assert (event.what, event.actor, event.at) == ("requested", "ann", NOON)
    assert event.detail == {"reason": 'the "mail" was empty'} == execution.request.detail


def test_into_an_open_queue_it_goes_at_once() -> None:
    QueueFactory.create()

    execution = take_in(JobFactory.create(version__priority=Priority.HIGH))

    row = Execution.objects.get()
    assert (row.status, row.queued_at, row.publishes) == (Status.QUEUED, NOON, 1)
    assert (row.lane, row.publish_at) == (Priority.HIGH, NOON + timedelta(seconds=10))
    assert model_to_dict(row) == model_to_dict(execution)


@pytest.mark.parametrize(
    "queue", [{"paused_at": NOON}, {"concurrency": 5}, {"window": 5}, {"name": "other"}]
)
def test_where_a_queue_has_rules_of_its_own_the_lock_decides(queue: dict[str, Any]) -> None:
    QueueFactory.create(**{"name": "mail"} | queue)

    execution = take_in(JobFactory.create(version__queue="mail"))

    assert execution.status == Status.SCHEDULED
    assert Execution.objects.get().status == Status.SCHEDULED
    assert execution.seen
    assert not execution.seen.crowded


@pytest.mark.parametrize("fields", [{"due_at": LATER}, {"job": "limited"}, {"job": "one"}])
def test_what_is_not_due_or_has_a_limit_waits(fields: dict[str, Any]) -> None:
    QueueFactory.create(name="mail")
    QueueFactory.create()
    job = {"limited": limited, "one": lambda: JobFactory.create(version__concurrency=1)}.get(
        fields.pop("job", ""), JobFactory.create
    )()

    assert take_in(job, **fields).status == Status.SCHEDULED


@pytest.mark.parametrize("status", [Status.SCHEDULED, Status.QUEUED, Status.RUNNING])
def test_a_crowd_is_not_overtaken(status: Status) -> None:
    QueueFactory.create()
    job = JobFactory.create()
    crowd(job, intake.LEAST_AT_ONCE - 1, status=status)

    last, first_too_many = take_in(job), take_in(job)

    assert last.status == Status.QUEUED
    assert first_too_many.status == Status.SCHEDULED
    assert first_too_many.seen
    assert first_too_many.seen.crowded


def test_what_is_a_crowd_depends_on_the_slots_of_the_fleet() -> None:
    QueueFactory.create()
    job = JobFactory.create()
    signs: dict[str, Any] = {"pid": 1, "version": "1", "started_at": NOON, "heartbeat_at": NOON}
    for fleet, slots in (("io", 20), ("io", 20), ("compute", 900)):
        Worker.objects.create(name="w", fleet=fleet, slots=slots, **signs)
    crowd(job, 39, status=Status.RUNNING)
    crowd(job, 100, status=Status.RUNNING, kind="python")

    assert [take_in(job).status for _ in range(2)] == [Status.QUEUED, Status.SCHEDULED]


def test_those_who_wait_for_a_limit_or_for_later_are_no_crowd() -> None:
    QueueFactory.create()
    job = JobFactory.create()
    crowd(job, intake.MOST_AT_ONCE, blocked_on="limit:x")
    crowd(job, intake.MOST_AT_ONCE, due_at=LATER)

    assert take_in(job).status == Status.QUEUED


def test_it_is_seen_who_lives() -> None:
    QueueFactory.create()
    signs: dict[str, Any] = {"pid": 1, "version": "1", "started_at": NOON, "heartbeat_at": NOON}
    Worker.objects.create(name="a", fleet="compute", slots=1, **signs)
    Worker.objects.create(name="b", fleet="io", slots=1, stopped_at=NOON, **signs)
    Beat.objects.create(name="c", **signs)

    assert take_in(JobFactory.create()).seen == Seen(crowded=False, worker=False, beat=True)
    assert take_in(JobFactory.create(kind="python")).seen == Seen(
        crowded=False, worker=True, beat=True
    )


def test_rows_of_a_batch_are_those_of_single_starts() -> None:
    job = limited(host="a")
    single = take_in(job, payload={"host": "b"})
    values = {name: getattr(single, name) for name in ("limit_key", "due_at", "start_by")}
    other = ExecutionFactory.build(job=job)
    row = intake.row(
        other.pk, payload='{"host": "b"}', priority=2, detail='{"reason": ""}', **values
    )

    intake.store(job, [row], actor="ann", now=NOON)

    assert model_to_dict(Execution.objects.get(pk=other.pk)) == model_to_dict(
        Execution.objects.get(pk=single.pk)
    )


def test_a_batch_costs_one_statement_for_each_thousand(django_assert_num_queries: Any) -> None:
    job = JobFactory.create()
    rows = [
        intake.row(
            execution.pk,
            payload="null",
            priority=2,
            limit_key="",
            due_at=NOON,
            start_by=None,
            detail="{}",
        )
        for execution in (Execution() for _ in range(1_001))
    ]

    with django_assert_num_queries(2):
        intake.store(job, rows, actor="ann", now=NOON)

    assert Execution.objects.count() == 1_001


@pytest.mark.django_db(transaction=True)
def test_a_start_in_a_crowd_is_left_to_the_beats() -> None:
    QueueFactory.create()
    job = JobFactory.create()
    crowd(job, intake.MOST_AT_ONCE)

    execution = scheduler.run_now(job, now=NOON, actor="ann")

    assert Execution.objects.get(pk=execution.pk).status == Status.SCHEDULED
    assert dispatch.queue_due(NOON) == intake.MOST_AT_ONCE + 1

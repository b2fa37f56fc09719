"""What is finished and old is deleted with all that belongs to it, and nothing else is."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import connection, transaction
from pytest_django import DjangoAssertNumQueries, Settings

from executions import deadletters, endings, logs, maintenance
from executions.maintenance import prune, sweep_all
from executions.maintenance.prune import ROUND
from executions.models import (
    Attempt,
    AuditFinding,
    AuditMark,
    Execution,
    ExecutionEvent,
    LogChunk,
    Rollup,
    Status,
)
from executions.models.rollup import EVERYBODY
from executions.rollups import SUMS
from executions.stats import first_id
from jobs.kinds.base import Failed
from tests.factories import NOON, ExecutionFactory, JobFactory, ScheduleFactory

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
OLD = NOON - 40 * DAY
HISTORY = (Attempt, ExecutionEvent, LogChunk)


@pytest.fixture(autouse=True)
def kept(settings: Settings) -> None:
    settings.CHRONOS_KEEP_DAYS = 30
    settings.CHRONOS_KEEP_FAILED_DAYS = 60
    settings.CHRONOS_KEEP_LAST = 0


def made(at: datetime = OLD, **fields: Any) -> Execution:
    """An execution that was made ``at``, as its id says, and that succeeded then."""
    number = Execution.objects.count()
    times = {"created_at": at, "due_at": at, "finished_at": at, "status": Status.SUCCEEDED}
    return ExecutionFactory.create(id=UUID(int=first_id(at).int + number), **times | fields)


def there() -> set[UUID]:
    return set(Execution.objects.values_list("pk", flat=True))


def test_an_old_execution_goes_with_all_that_belongs_to_it() -> None:
    old = made()
    Attempt.objects.create(execution=old, number=1, worker="a", started_at=OLD)
    ExecutionEvent.objects.create(execution=old, at=OLD, what="requested")
    logs.store(old.pk, 1, [logs.Chunk(OLD, "stdout", "hello")])

    assert prune(NOON) == 1

    assert not there()
    assert not any(model.objects.exists() for model in HISTORY)


def test_what_ended_lately_stays() -> None:
    young = made(NOON - 29 * DAY)
    late = made(OLD, finished_at=NOON - DAY)

    prune(NOON)

    assert there() == {young.pk, late.pk}


@pytest.mark.parametrize("status", [Status.SCHEDULED, Status.QUEUED, Status.WAITING])
def test_what_has_not_ended_stays(status: Status) -> None:
    unfinished = made(status=status, finished_at=None)

    prune(NOON)

    assert there() == {unfinished.pk}


def test_a_dead_letter_stays_until_it_was_resolved_long_enough_ago() -> None:
    long_ago = NOON - 400 * DAY
    dead = made(long_ago, status=Status.FAILED)
    lately = made(long_ago, status=Status.FAILED, resolved_at=NOON - 59 * DAY)
    made(long_ago, status=Status.FAILED, resolved_at=NOON - 61 * DAY)

    prune(NOON)

    assert there() == {dead.pk, lately.pk}


def test_the_last_of_each_job_stay(settings: Settings) -> None:
    settings.CHRONOS_KEEP_LAST = 2
    job = JobFactory.create()
    _, *newest = [made(OLD + n * DAY, job=job) for n in range(3)]
    other = made()

    prune(NOON)

    assert there() == {other.pk, *(one.pk for one in newest)}


def test_too_many_are_old_as_well(settings: Settings) -> None:
    settings.CHRONOS_KEEP_DAYS = settings.CHRONOS_KEEP_FAILED_DAYS = 0
    settings.CHRONOS_KEEP_MOST = 2
    times = [NOON - n * DAY for n in range(4)]
    for at in times:
        made(at)
        zero = dict.fromkeys(SUMS, 0) | {"late": [], "took": [], "succeeded": 1}
        Rollup.objects.create(subject=EVERYBODY, grain="hour", at=at, queue="default", **zero)
    dead = made(NOON - 9 * DAY, status=Status.FAILED)

    prune(NOON)

    kept = Execution.objects.exclude(pk=dead.pk).values_list("finished_at", flat=True)
    assert set(kept) == set(times[:2])
    assert dead.pk in there()


def test_everything_stays_where_nothing_says_for_how_long(settings: Settings) -> None:
    settings.CHRONOS_KEEP_DAYS = settings.CHRONOS_KEEP_FAILED_DAYS = 0
    made()

    assert prune(NOON) == 0
    assert there()


def test_a_slot_stays_until_the_audit_has_counted_it() -> None:
    schedule = ScheduleFactory.create(next_fire_at=NOON, audited_until=OLD + DAY)
    slots = [made(at, job=schedule.job, schedule=schedule, scheduled_for=at) for at in (OLD, NOON)]
    late = made(OLD, job=schedule.job, schedule=schedule, scheduled_for=OLD + DAY)

    prune(NOON)

    assert there() == {slots[1].pk, late.pk}


def test_no_audit_misses_what_was_deleted() -> None:
    day = {"every_seconds": DAY.total_seconds(), "anchor": OLD}
    schedule = ScheduleFactory.create(**day, next_fire_at=OLD + 3 * DAY, audited_until=OLD)
    for n in range(3):
        at = OLD + n * DAY
        made(at, job=schedule.job, schedule=schedule, scheduled_for=at, status=Status.SKIPPED)
    AuditMark.objects.create(name="attempts", up_to=UUID(int=0), at=OLD)

    for _ in range(2):
        while prune(NOON):
            pass
        sweep_all(NOON)
        AuditMark.objects.filter(name="prune").update(at=OLD)
        prune(NOON)  # begins a new round

    assert not there()
    assert not AuditFinding.objects.exists()


def test_batches_are_bounded_and_come_to_an_end() -> None:
    for _ in range(5):
        made()

    assert [prune(NOON, limit=2) for _ in range(4)] == [2, 2, 1, 0]


def test_what_was_left_is_seen_again_a_day_later() -> None:
    dead = made(NOON - 100 * DAY, status=Status.FAILED)
    assert [prune(NOON), prune(NOON)] == [1, 0]

    Execution.objects.filter(pk=dead.pk).update(resolved_at=NOON - 90 * DAY)
    assert prune(NOON + ROUND / 2) == 0
    assert [prune(NOON + ROUND), prune(NOON + ROUND)] == [0, 1]

    assert not there()


def test_a_crash_undoes_the_batch_and_the_step() -> None:
    made()

    with suppress(RuntimeError), transaction.atomic():
        prune(NOON)
        raise RuntimeError("the process dies here")

    assert there()
    assert prune(NOON) == 1
    assert not there()


def test_nothing_to_do_costs_little(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    prune(NOON)

    with django_assert_num_queries(6):  # a savepoint and its release among them
        prune(NOON)


def test_one_go_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(maintenance, "MOST_BATCHES", 1)
    for _ in range(3):
        made()

    assert maintenance.prune_all(NOON)["prune"] == 3
    assert maintenance.prune_all(NOON)["prune"] == 0


def in_threads(*acts: Callable[[], object]) -> list[object]:
    def alone(act: Callable[[], object]) -> object:
        try:
            return act()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as pool:
        return [one.result() for one in [pool.submit(alone, act) for act in acts]]


@pytest.mark.django_db(transaction=True)
def test_any_number_of_processes_may_prune_at_once() -> None:
    for _ in range(40):
        made()
    keep = made(NOON)

    def work() -> None:
        while there() != {keep.pk}:
            prune(NOON, limit=3)

    in_threads(*[work] * 4)

    assert there() == {keep.pk}


@pytest.mark.django_db(transaction=True)
def test_what_somebody_holds_is_left_to_the_next_round() -> None:
    held, free = made(), made()

    with transaction.atomic():
        Execution.objects.select_for_update().get(pk=held.pk)
        assert in_threads(lambda: prune(NOON)) == [2]
        assert there() == {held.pk}

    assert in_threads(lambda: [prune(NOON + ROUND), prune(NOON + ROUND)]) == [[0, 1]]
    assert free.pk not in there()
    assert not there()


@pytest.mark.django_db(transaction=True)
def test_a_dead_letter_that_is_being_redriven_stays() -> None:
    dead = made(NOON - 100 * DAY, status=Status.FAILED)

    with transaction.atomic():
        deadletters.redrive(dead, now=NOON, actor="ann")
        assert in_threads(lambda: prune(NOON)) == [1]

    assert dead.pk in there()


def test_what_is_reported_of_an_execution_that_is_gone_leaves_nothing_behind() -> None:
    gone = made(attempt=1)
    prune(NOON)

    output = [logs.Chunk(OLD, "stdout", "hello")]
    endings.keep_late(gone, Failed("timeout", "too late"), now=NOON, output=output)

    assert not any(model.objects.exists() for model in HISTORY)

"""Firing what was seen to come: in one round trip, and only if nobody has touched it since."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from executions import ahead, scheduler
from executions.models import Execution, Status
from jobs import definitions
from jobs.models import Schedule
from tests.factories import NOON, ScheduleFactory

# A row that changes within the transaction that made it keeps its version.
pytestmark = pytest.mark.django_db(transaction=True)

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)


def foreseen() -> Any:
    """What a beat sees a second before noon."""
    return ahead.look(NOON - SECOND).foreseen


def test_what_was_foreseen_is_fired_as_what_is_found_due() -> None:
    schedule = ScheduleFactory.create(jitter_seconds=20)
    ScheduleFactory.create(next_fire_at=NOON + SECOND, anchor=NOON + SECOND)
    found = ScheduleFactory.create(jitter_seconds=20)
    seen = [one for one in foreseen() if one.schedule == schedule]

    with CaptureQueriesContext(connection) as statements:
        assert scheduler.fire_foreseen(seen, NOON) == 1
    assert scheduler.fire_due(NOON) == 1

    assert len(statements) == 1
    by_foresight = Execution.objects.get(schedule=schedule)
    by_search = Execution.objects.get(schedule=found)
    ours = {"id", "job_id", "team_id", "version_id", "schedule_id", "due_at"}
    rows = [vars(one) for one in (by_foresight, by_search)]
    for name in rows[0].keys() - ours - {"_state"}:
        assert rows[0][name] == rows[1][name], name
    schedule.refresh_from_db()
    found.refresh_from_db()
    assert by_foresight.due_at == NOON + schedule.jitter
    for name in ("next_fire_at", "last_fired_at", "audited_until", "fired", "enabled"):
        assert getattr(schedule, name) == getattr(found, name), name
    assert schedule.next_fire_at == NOON + MINUTE


def test_nothing_is_fired_early_or_of_what_comes_later() -> None:
    ScheduleFactory.create()
    ScheduleFactory.create(next_fire_at=NOON + SECOND, anchor=NOON + SECOND)

    seen = foreseen()

    assert [one.schedule.next_fire_at for one in seen] == [NOON]
    assert scheduler.fire_foreseen(seen, NOON - timedelta(milliseconds=1)) == 0
    assert not Execution.objects.exists()


def test_what_was_fired_by_another_is_not_fired_again() -> None:
    schedule = ScheduleFactory.create()
    mine, others = foreseen(), foreseen()

    assert scheduler.fire_foreseen(others, NOON) == 1
    assert scheduler.fire_foreseen(mine, NOON + MINUTE) == 0

    schedule.refresh_from_db()
    assert schedule.next_fire_at == NOON + MINUTE
    assert Execution.objects.count() == 1


@pytest.mark.parametrize(
    "change",
    [
        lambda job: definitions.pause(job, actor=None, now=NOON - SECOND),
        lambda job: definitions.archive(job, actor=None, now=NOON - SECOND),
        lambda job: Schedule.objects.filter(job=job).update(next_fire_at=NOON + MINUTE),
        lambda job: Schedule.objects.filter(job=job).delete(),
    ],
    ids=["pause", "archive", "edit", "delete"],
)
def test_what_was_changed_since_is_left_alone(change: Callable[[Any], object]) -> None:
    job = ScheduleFactory.create().job
    bystander = ScheduleFactory.create()
    seen = foreseen()
    change(job)

    assert scheduler.fire_foreseen(seen, NOON) == 1

    assert Execution.objects.get().schedule_id == bystander.pk
    assert not Schedule.objects.filter(job=job, last_fired_at__isnull=False).exists()


def test_the_job_is_run_as_it_is_defined_when_it_fires() -> None:
    schedule = ScheduleFactory.create()
    seen = foreseen()
    before = schedule.job.current_id
    definitions.change(schedule.job, {"payload": {"a": 1}}, actor=None, now=NOON - SECOND)

    while not Execution.objects.exists():
        assert scheduler.fire_foreseen(seen, NOON) or scheduler.fire_due(NOON)

    assert Execution.objects.get().version_id != before


@pytest.mark.parametrize(
    "shape",
    [
        {"mode": "fixed_delay"},
        {"missed": "all", "missed_until": NOON},
        {"enabled": False},
        {"next_fire_at": NOON - MINUTE},
    ],
)
def test_what_needs_more_than_its_slot_is_not_foreseen(shape: dict[str, Any]) -> None:
    ScheduleFactory.create(**shape)

    assert foreseen() == []


def test_many_at_once_are_left_to_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(3):
        ScheduleFactory.create()
    assert len(foreseen()) == 3

    monkeypatch.setattr(ahead, "MOST", 2)
    assert list(foreseen()) == []


def test_what_cannot_be_handled_is_set_aside_and_the_rest_is_fired() -> None:
    ScheduleFactory.create()
    broken = ScheduleFactory.create(type="cron", cron="0 12 * * *", timezone="Nowhere/Never")

    assert scheduler.fire_foreseen(foreseen(), NOON) == 1
    assert scheduler.fire_due(NOON) == 1

    broken.refresh_from_db()
    assert not broken.enabled


def test_a_row_that_cannot_be_stored_does_not_stop_the_others() -> None:
    ScheduleFactory.create()
    unstorable = ScheduleFactory.create(fired=2**31 - 1)

    assert scheduler.fire_foreseen(foreseen(), NOON) == 2

    unstorable.refresh_from_db()
    assert not unstorable.enabled
    assert Execution.objects.count() == 1


def test_a_schedule_that_is_being_changed_is_neither_waited_for_nor_overwritten() -> None:
    schedule = ScheduleFactory.create()
    seen = foreseen()

    def fire() -> int:
        try:
            return scheduler.fire_foreseen(seen, NOON)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool, transaction.atomic():
        Schedule.objects.filter(pk=schedule.pk).update(next_fire_at=NOON + 5 * MINUTE)
        assert pool.submit(fire).result(timeout=10) == 0

    schedule.refresh_from_db()
    assert schedule.next_fire_at == NOON + 5 * MINUTE
    assert not Execution.objects.exists()


def test_beats_that_foresaw_the_same_fire_it_once() -> None:
    for _ in range(20):
        ScheduleFactory.create()
    barrier = Barrier(3)

    def fire(_: int) -> int:
        try:
            seen = foreseen()
            barrier.wait()
            return scheduler.fire_foreseen(seen, NOON)
        finally:
            connection.close()

    with ThreadPoolExecutor(3) as pool:
        assert sum(pool.map(fire, range(3))) == 20
    assert Execution.objects.filter(status=Status.SCHEDULED).count() == 20
    assert Schedule.objects.filter(next_fire_at=NOON + MINUTE, fired=1).count() == 20

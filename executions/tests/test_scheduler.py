"""Firing: one execution per slot, whoever fires and however often."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from executions import scheduler
from executions.models import Execution, ExecutionEvent, Origin, OutboxEvent, Status
from jobs import definitions, slots
from jobs.models import Schedule
from jobs.policies import Misfire
from tests.factories import NOON, JobFactory, ScheduleFactory

pytestmark = pytest.mark.django_db

MINUTE = timedelta(minutes=1)


def test_a_due_schedule_yields_one_execution_and_moves_on() -> None:
    schedule = ScheduleFactory.create()

    assert scheduler.fire_due(NOON) == 1

    execution = Execution.objects.get()
    schedule.refresh_from_db()
    assert (execution.scheduled_for, execution.due_at, execution.status) == (
        NOON,
        NOON,
        Status.SCHEDULED,
    )
    assert (execution.origin, execution.job_id) == (Origin.SCHEDULE, schedule.job_id)
    assert schedule.next_fire_at == NOON + MINUTE


def test_nothing_is_fired_early() -> None:
    ScheduleFactory.create(next_fire_at=NOON + timedelta(milliseconds=1))

    assert scheduler.fire_due(NOON) == 0
    assert not Execution.objects.exists()


def test_a_slot_that_was_fired_before_a_crash_is_not_fired_again() -> None:
    schedule = ScheduleFactory.create()
    scheduler.fire_due(NOON)
    Schedule.objects.filter(pk=schedule.pk).update(next_fire_at=NOON)  # the crash lost the cursor

    scheduler.fire_due(NOON)

    assert Execution.objects.count() == 1


def test_slots_keep_their_phase_when_the_beat_is_late() -> None:
    schedule = ScheduleFactory.create()

    scheduler.fire_due(NOON + timedelta(seconds=7))

    schedule.refresh_from_db()
    assert schedule.next_fire_at == NOON + MINUTE


@pytest.mark.parametrize("misfire", ["latest", "skip"])
def test_missed_slots_are_accounted_for_in_one_row(misfire: str) -> None:
    ScheduleFactory.create(misfire=Misfire(misfire))
    two_hours_later = NOON + timedelta(hours=2) - timedelta(seconds=1)

    scheduler.fire_due(two_hours_later + timedelta(minutes=2))

    skips = Execution.objects.get(status=Status.SKIPPED)
    stretch: dict[str, Any] = skips.result or {}
    assert skips.reason == "misfire"
    assert Execution.objects.exclude(status=Status.SKIPPED).count() + stretch["count"] == 122
    assert stretch["first"] == NOON.isoformat()


def test_a_paused_or_disabled_schedule_is_left_alone() -> None:
    ScheduleFactory.create(enabled=False)

    assert scheduler.fire_due(NOON) == 0


def test_a_schedule_that_cannot_name_its_next_slot_is_set_aside_and_stops_nobody() -> None:
    broken = ScheduleFactory.create(type="cron", cron="0 12 * * *", timezone="Mars/Olympus")
    ScheduleFactory.create()

    assert scheduler.fire_due(NOON) == 2

    broken.refresh_from_db()
    assert (broken.enabled, "time zone" in broken.disabled_reason) == (False, True)
    assert Execution.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_three_beats_at_once_fire_each_slot_once() -> None:
    for _ in range(20):
        ScheduleFactory.create()
    barrier = Barrier(3)

    def fire(_: int) -> int:
        barrier.wait()
        try:
            return sum(scheduler.fire_due(NOON, limit=5) for _ in range(6))
        finally:
            connection.close()

    with ThreadPoolExecutor(3) as pool:
        assert sum(pool.map(fire, range(3))) == 20
    assert Execution.objects.count() == 20


def test_run_now_says_who_asked_and_why() -> None:
    job = JobFactory.create()

    execution = scheduler.run_now(job, now=NOON, actor="ann", reason="month end")

    event = ExecutionEvent.objects.get(execution=execution)
    assert (event.what, event.actor, event.detail) == ("requested", "ann", {"reason": "month end"})
    assert (execution.origin, execution.due_at, execution.schedule_id) == ("manual", NOON, None)


def test_an_execution_keeps_the_definition_it_started_with() -> None:
    job = JobFactory.create(version__queue="default")
    execution = scheduler.run_now(job, now=NOON, actor="ann")

    definitions.change(job, {"payload": {"new": True}}, actor=None, now=NOON)

    execution.refresh_from_db()
    assert execution.version.number == 1


def test_a_paused_job_cannot_be_started() -> None:
    job = JobFactory.create(paused_at=NOON)

    with pytest.raises(definitions.JobPausedError):
        scheduler.run_now(job, now=NOON, actor="ann")

    assert not Execution.objects.exists()


# --- fairness and bounds -------------------------------------------------------------------------


def test_a_backlog_does_not_hold_up_what_has_just_become_due() -> None:
    for number in range(6):
        ScheduleFactory.create(next_fire_at=NOON - timedelta(days=1, minutes=number))
    punctual = ScheduleFactory.create(next_fire_at=NOON)

    assert scheduler.fire_due(NOON, limit=2) == 4

    assert Execution.objects.filter(schedule=punctual, due_at=NOON).exists()
    oldest = NOON - timedelta(days=1, minutes=5)
    assert not Schedule.objects.filter(next_fire_at=oldest).exists()
    assert Schedule.objects.due(NOON).count() == 3


def test_a_batch_stays_small_however_many_slots_are_due(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scheduler, "MOST_ROWS", 10)
    for _ in range(4):
        ScheduleFactory.create(misfire=Misfire.ALL)
    ten_minutes_later = NOON + timedelta(minutes=9)

    assert scheduler.fire_due(ten_minutes_later) == 2

    assert Execution.objects.count() == 20
    while scheduler.fire_due(ten_minutes_later):
        pass
    assert Execution.objects.count() == 40


def test_late_slots_start_a_pace_apart_also_over_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slots, "BATCH", 3)
    later = NOON + timedelta(minutes=9, seconds=1)
    ScheduleFactory.create(misfire=Misfire.ALL, catch_up_pace_seconds=10)

    while scheduler.fire_due(later):
        pass

    rows = Execution.objects.order_by("scheduled_for")
    starts = [row.due_at for row in rows]
    assert [row.scheduled_for for row in rows] == [NOON + n * MINUTE for n in range(10)]
    assert starts[:9] == [later + n * timedelta(seconds=10) for n in range(9)]
    assert starts[9] == NOON + 9 * MINUTE, "it is punctual"


def test_jitter_delays_the_start_and_leaves_the_slot_where_it_is() -> None:
    schedule = ScheduleFactory.create(jitter_seconds=30)

    scheduler.fire_due(NOON)
    scheduler.fire_due(NOON + MINUTE)

    first, second = Execution.objects.order_by("scheduled_for")
    assert (first.scheduled_for, second.scheduled_for) == (NOON, NOON + MINUTE)
    assert first.due_at - NOON == second.due_at - NOON - MINUTE == schedule.jitter
    assert timedelta(0) < schedule.jitter < timedelta(seconds=30)


def test_a_schedule_that_may_run_twice_ends_with_the_second_run() -> None:
    schedule = ScheduleFactory.create(max_executions=2, misfire=Misfire.ALL)

    scheduler.fire_due(NOON + 4 * MINUTE)

    schedule.refresh_from_db()
    ended = Execution.objects.get(status=Status.SKIPPED)
    assert (schedule.next_fire_at, schedule.fired) == (None, 2)
    assert Execution.objects.filter(status=Status.SCHEDULED).count() == 2
    assert (ended.reason, ended.result and ended.result["count"]) == ("ended", 3)


def test_a_row_that_the_database_refuses_is_set_aside_and_stops_nobody() -> None:
    broken = ScheduleFactory.create(fired=2**31 - 1)
    sound = [ScheduleFactory.create() for _ in range(3)]

    scheduler.fire_due(NOON)

    broken.refresh_from_db()
    assert not broken.enabled
    assert "out of range" in broken.disabled_reason
    told = OutboxEvent.objects.get(topic="schedule.disabled")
    assert (told.subject, told.body) == (broken.job_id, {"why": broken.disabled_reason})
    assert set(Execution.objects.values_list("schedule", flat=True)) == {row.pk for row in sound}


def test_a_row_that_makes_no_instant_is_set_aside_and_stops_nobody() -> None:
    broken = ScheduleFactory.create(misfire=Misfire.ALL, catch_up_pace_seconds=1e300)
    sound = ScheduleFactory.create()

    scheduler.fire_due(NOON + timedelta(hours=1))

    broken.refresh_from_db()
    sound.refresh_from_db()
    assert (broken.enabled, broken.is_set_aside, sound.enabled) == (False, True, True)
    assert sound.next_fire_at == NOON + timedelta(minutes=61)


def test_a_change_brings_back_what_was_set_aside() -> None:
    broken = ScheduleFactory.create(type="cron", cron="0 12 * * *", timezone="Mars/Olympus")
    scheduler.fire_due(NOON)

    cron = {"type": "cron", "cron": "0 12 * * *", "timezone": "UTC"}
    definitions.change(broken.job, {"schedule": cron}, actor=None, now=NOON)

    broken.refresh_from_db()
    assert (broken.enabled, broken.next_fire_at) == (True, NOON + timedelta(days=1))


def test_a_choice_at_the_resume_goes_before_the_misfire_policy() -> None:
    schedule = ScheduleFactory.create(misfire=Misfire.SKIP)
    schedule.owe(Misfire.ALL, until=NOON + 2 * MINUTE)
    schedule.save()

    while scheduler.fire_due(NOON + 10 * MINUTE):
        pass

    schedule.refresh_from_db()
    ran = Execution.objects.filter(status=Status.SCHEDULED).order_by("scheduled_for")
    skipped = Execution.objects.get(status=Status.SKIPPED)
    assert [row.scheduled_for for row in ran] == [NOON + n * MINUTE for n in (0, 1, 2, 9, 10)]
    assert (skipped.reason, skipped.result and skipped.result["count"]) == ("misfire", 6)
    assert (schedule.missed, schedule.missed_until) == ("", None)


def test_a_few_that_are_due_cost_three_statements() -> None:
    for _ in range(3):
        ScheduleFactory.create()
    scheduler.fire_due(NOON - MINUTE)  # a question is built when it is asked for the first time

    with CaptureQueriesContext(connection) as statements:
        assert scheduler.fire_due(NOON) == 3

    own = [one["sql"].split()[0] for one in statements if "SAVEPOINT" not in one["sql"]]
    assert own == ["SELECT", "WITH", "UPDATE"]

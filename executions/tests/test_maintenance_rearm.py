"""A fixed delay counts from the end of an execution, however it ended; never two at once."""

from __future__ import annotations

import sys
from datetime import datetime, timedelta
from typing import Any

import pytest

from executions import scheduler, transitions
from executions.maintenance import rearm
from executions.models import Execution, Status
from executions.reports import Report
from jobs import definitions
from jobs.models import Schedule
from jobs.policies import Misfire
from tests.factories import NOON, ScheduleFactory

pytestmark = pytest.mark.django_db

walk = sys.modules["executions.maintenance.rearm"]  # the package shows its pass by this name

MINUTE = timedelta(minutes=1)
LEASE = timedelta(seconds=30)
ENDED = NOON + timedelta(seconds=17)


def delayed(**fields: Any) -> Schedule:
    """A schedule whose next slot is a minute after the end of an execution; due at NOON."""
    return ScheduleFactory.create(mode="fixed_delay", anchor=None, **fields)


def claimed() -> Execution:
    execution = Execution.objects.get(status=Status.SCHEDULED)
    Execution.objects.filter(pk=execution.pk).update(status=Status.QUEUED)
    taken = transitions.claim(execution.pk, worker="a", now=NOON, lease=LEASE)
    assert taken is not None
    return taken


def next_slot() -> datetime | None:
    return Schedule.objects.get().next_fire_at


def test_while_the_execution_goes_on_there_is_no_next_slot() -> None:
    delayed()
    scheduler.fire_due(NOON)
    claimed()

    assert rearm(NOON + MINUTE) == 0
    assert next_slot() is None


@pytest.mark.parametrize("verb", [transitions.succeed, transitions.fail])
def test_the_next_slot_is_the_delay_after_the_end(verb: Any) -> None:
    delayed()
    scheduler.fire_due(NOON)
    verb(claimed(), now=ENDED, report=Report())

    assert rearm(ENDED) == 1
    assert next_slot() == ENDED + MINUTE
    assert rearm(ENDED) == 0

    scheduler.fire_due(ENDED + MINUTE)
    assert Execution.objects.filter(status=Status.SCHEDULED).count() == 1


def test_a_retry_goes_on_with_the_same_execution() -> None:
    delayed()
    scheduler.fire_due(NOON)
    transitions.retry(claimed(), now=ENDED, report=Report(), due_at=ENDED + MINUTE)

    assert rearm(ENDED) == 0


def test_it_goes_on_after_a_cancelled_and_after_a_skipped_execution() -> None:
    delayed(misfire=Misfire.SKIP)
    scheduler.fire_due(NOON)
    transitions.cancel(Execution.objects.get(), now=ENDED, actor="ann")
    rearm(ENDED)
    assert next_slot() == ENDED + MINUTE

    late = NOON + timedelta(hours=1)
    scheduler.fire_due(late)
    assert Execution.objects.filter(status=Status.SKIPPED, reason="misfire").count() == 1
    rearm(late)
    assert next_slot() == late + MINUTE


def test_it_ends_with_its_last_execution_and_its_last_instant() -> None:
    for bound in ({"max_executions": 1}, {"ends_at": ENDED + MINUTE}):
        schedule = delayed(**bound)
        scheduler.fire_due(NOON)
        transitions.succeed(claimed(), now=ENDED, report=Report())

        assert rearm(ENDED) == 1
        schedule.refresh_from_db()
        assert (schedule.next_fire_at, schedule.disabled_reason) == (None, "ended")
        assert rearm(ENDED) == 0


def test_an_edit_while_it_runs_does_not_start_a_second_one() -> None:
    schedule = delayed()
    scheduler.fire_due(NOON)
    execution = claimed()
    definitions.change(
        schedule.job, {"schedule": schedule.spec | {"every_seconds": 5}}, actor=None, now=NOON
    )
    assert next_slot() == NOON + timedelta(seconds=5)

    scheduler.fire_due(NOON + timedelta(seconds=5))
    assert Execution.objects.count() == 1
    transitions.succeed(execution, now=ENDED, report=Report())
    rearm(ENDED)

    assert next_slot() == ENDED + timedelta(seconds=5)


def test_a_resume_that_skips_counts_from_itself() -> None:
    schedule = delayed()
    scheduler.fire_due(NOON)
    execution = claimed()
    definitions.pause(schedule.job, now=NOON, actor=None)
    transitions.succeed(execution, now=ENDED, report=Report())
    rearm(ENDED)
    assert next_slot() == ENDED + MINUTE, "it is known also while the job rests"

    later = NOON + timedelta(hours=1)
    definitions.resume(schedule.job, now=later, actor=None, missed="skip")

    assert next_slot() == later + MINUTE
    skipped = Execution.objects.get(status=Status.SKIPPED)
    assert (skipped.reason, skipped.result and skipped.result["count"]) == ("paused", 1)


def test_one_that_cannot_name_its_next_slot_is_set_aside_and_stops_nobody() -> None:
    broken, sound = delayed(next_fire_at=None), delayed(next_fire_at=None)
    Schedule.objects.filter(pk=broken.pk).update(starts_at=datetime.max.replace(tzinfo=NOON.tzinfo))

    assert rearm(NOON) == 2

    broken.refresh_from_db()
    sound.refresh_from_db()
    assert (broken.enabled, sound.next_fire_at) == (False, NOON + MINUTE)
    assert "years" in broken.disabled_reason
    assert rearm(NOON) == 0


def test_of_many_that_wait_some_are_looked_at_and_then_those_behind_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(walk, "WINDOW", 2)
    monkeypatch.setattr(walk, "_walked", None)
    for _ in range(3):
        delayed()
    scheduler.fire_due(NOON)
    last = Execution.objects.order_by("schedule").last()
    assert last is not None
    transitions.cancel(last, now=ENDED, actor="ann")

    handled = [(rearm(ENDED), walk.is_on_its_way()) for _ in range(2)]

    assert handled == [(0, True), (1, False)]


def test_a_window_is_left_only_when_all_in_it_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walk, "WINDOW", 2)
    monkeypatch.setattr(walk, "_walked", None)
    for _ in range(4):
        delayed(next_fire_at=None)

    assert [rearm(NOON, limit=1) for _ in range(4)] == [1, 1, 1, 1]
    assert not Schedule.objects.unarmed().exists()

"""The beat's tick: it does what is due, waits for the bell or the next instant, and goes on."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from celery import current_app
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django_celery_beat.models import PeriodicTask

from executions import ahead, bell, clock, dispatch
from executions.beat import BREATH, LONG_BREATH, LONGEST_WAIT, ChronosScheduler, Rota
from executions.models import Beat, Execution, Queue, Status
from tests.factories import NOON, ExecutionFactory, QueueFactory, ScheduleFactory
from tests.waiting import eventually

pytestmark = pytest.mark.django_db(transaction=True)  # a tick closes stale connections


@pytest.fixture
def beat() -> Iterator[ChronosScheduler]:
    scheduler = ChronosScheduler(current_app._get_current_object())
    yield scheduler
    scheduler.close()


def test_a_tick_fires_and_queues_what_is_due(beat: ChronosScheduler) -> None:
    now = clock.read()
    ScheduleFactory.create(next_fire_at=now, anchor=now)

    assert beat.tick() == 0

    assert Execution.objects.get().status == Status.QUEUED
    assert Beat.objects.get().stopped_at is None


def test_the_system_s_own_ticks_stand_in_the_table(beat: ChronosScheduler) -> None:
    assert PeriodicTask.objects.filter(task="executions.sweep").exists()


def test_a_beat_waits_for_the_next_instant_and_no_longer(beat: ChronosScheduler) -> None:
    now = clock.read()
    ExecutionFactory.create(due_at=now + timedelta(milliseconds=300))

    assert beat._seconds_to_next(ahead.look(now), now) == pytest.approx(0.3)


def test_work_that_waits_for_its_queue_does_not_make_the_beat_spin(beat: ChronosScheduler) -> None:
    now = clock.read()
    QueueFactory.create(name="mail", paused_at=now)
    ExecutionFactory.create(queue="mail", due_at=now - timedelta(hours=1))

    assert beat._seconds_to_next(ahead.look(now), now) == LONGEST_WAIT


def test_a_ring_ends_the_wait() -> None:
    listener = bell.Listener()
    listener.wait(0.1)  # subscribes
    threading.Timer(0.2, bell.ring).start()

    assert any(listener.wait(5) for _ in range(2))
    listener.close()


def test_a_duty_that_fails_does_not_keep_the_beat_from_the_others(
    beat: ChronosScheduler, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(now: datetime, *, limit: int) -> int:
        raise RuntimeError("a row that nobody foresaw")

    monkeypatch.setattr(dispatch, "queue_due", fails)
    now = clock.read()
    ScheduleFactory.create(next_fire_at=now, anchor=now)

    beat.tick()

    assert Execution.objects.get().status == Status.SCHEDULED
    assert Beat.objects.exists()


def test_a_stopped_beat_says_so(beat: ChronosScheduler) -> None:
    beat.tick()
    beat.close()

    assert Beat.objects.get().stopped_at is not None


def test_a_broker_that_is_away_only_slows_the_beat(
    beat: ChronosScheduler, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    monkeypatch.setattr(bell, "_client", None)

    assert 0 < beat.tick() <= LONGEST_WAIT
    monkeypatch.setattr(bell, "_client", None)


def test_an_idle_tick_asks_one_question(beat: ChronosScheduler) -> None:
    ScheduleFactory.create(next_fire_at=clock.read() + timedelta(hours=1))
    beat._work()  # what is done every second or more seldom is done

    with CaptureQueriesContext(connection) as statements:
        beat._work()

    assert len(statements) == 1


def test_a_beat_that_did_something_takes_a_breath_and_one_that_is_behind_does_not(
    beat: ChronosScheduler, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("executions.beat.BEHIND", timedelta(seconds=60))
    now = clock.read()
    ScheduleFactory.create(next_fire_at=now, anchor=now)
    assert beat._work() == BREATH

    late = now - timedelta(seconds=120)
    ScheduleFactory.create(next_fire_at=late, anchor=late)
    assert beat._work() == 0


def test_a_full_queue_is_filled_up_for_many_at_once_and_looked_at_while_it_is_full(
    beat: ChronosScheduler,
) -> None:
    Queue.objects.update_or_create(name="default", defaults={"window": 2})
    ExecutionFactory.create_batch(6, due_at=clock.read() - timedelta(seconds=1))
    assert beat._work() == BREATH

    Execution.objects.filter(status=Status.QUEUED).update(
        status=Status.SUCCEEDED, finished_at=clock.read(), publish_at=None
    )
    assert beat._work() == LONG_BREATH

    waits = [beat._work() for _ in range(6)]
    assert 0 < waits[0] <= 2 * LONG_BREATH
    assert max(waits) <= LONGEST_WAIT


def test_what_was_foreseen_is_fired_before_anything_else_and_queued_once(
    beat: ChronosScheduler,
) -> None:
    soon = clock.read() + timedelta(milliseconds=200)
    ScheduleFactory.create(next_fire_at=soon, anchor=soon)
    beat._work()
    assert not Execution.objects.exists()
    eventually(lambda: clock.now() >= soon, within=5)

    with CaptureQueriesContext(connection) as statements:
        assert beat._work() == BREATH

    assert Execution.objects.get().status == Status.QUEUED
    words = [one["sql"] for one in statements]
    assert "fired AS" in words[0]
    assert "moved AS" in words[1]
    assert sum("moved AS" in one for one in words) == 1


def test_duties_are_dealt_out_evenly(monkeypatch: pytest.MonkeyPatch) -> None:
    clock_shows = iter([0.0, 0.0, 0.0, 0.5, 1.0, 1.0, 1.5, 2.0, 2.0, 9.0, 9.0])
    monkeypatch.setattr("executions.beat.time.monotonic", lambda: next(clock_shows))
    duties = [lambda _, number=number: number for number in range(3)]
    rota = Rota(duties, 3.0)
    dealt = [[duty(NOON) for duty in rota.due()] for _ in range(6)]

    assert dealt == [[0, 1, 2], [], [0], [], [1], [2, 0, 1]]


def test_a_fixed_delay_is_named_within_the_second(beat: ChronosScheduler) -> None:
    schedule = ScheduleFactory.create(mode="fixed_delay", anchor=None, next_fire_at=None)

    beat._work()

    schedule.refresh_from_db()
    assert schedule.next_fire_at is not None


def test_rings_that_came_together_are_answered_together() -> None:
    listener = bell.Listener()
    listener.wait(0.1)  # subscribes
    with bell.client().pipeline() as pipe:  # so that they arrive together
        for _ in range(5):
            pipe.publish(bell._channel(), b"")
        pipe.execute()

    assert any(listener.wait(5) for _ in range(2))
    assert not listener.wait(0.1)
    listener.close()

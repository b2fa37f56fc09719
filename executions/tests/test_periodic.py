"""django-celery-beat's rows are sent once, with any number of beats."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from django.db import connection
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from executions import clock, periodic

pytestmark = pytest.mark.django_db


def every_second(**fields: Any) -> PeriodicTask:
    interval, _ = IntervalSchedule.objects.get_or_create(every=1, period="seconds")
    last = clock.read() - timedelta(seconds=5)
    return PeriodicTask.objects.create(
        **{"name": "tick", "task": "some.task", "interval": interval, "last_run_at": last} | fields
    )


def test_a_due_row_is_sent_and_remembers_it() -> None:
    row = every_second(args='["a"]')
    sent: list[Any] = []

    assert periodic.fire_periodic(clock.now(), send=sent.append) == 1

    row.refresh_from_db()
    assert (sent[0].task, sent[0].args) == ("some.task", ["a"])
    assert row.total_run_count == 1


def test_a_row_that_was_just_sent_waits_for_its_next_time() -> None:
    every_second()
    periodic.fire_periodic(clock.now(), send=lambda _: None)

    assert periodic.fire_periodic(clock.now(), send=lambda _: None) == 0


def test_a_disabled_row_is_left_alone() -> None:
    every_second(enabled=False)

    assert periodic.fire_periodic(clock.now(), send=lambda _: None) == 0


def test_a_row_that_cannot_be_read_is_disabled_and_stops_nobody() -> None:
    every_second()
    broken = every_second(name="broken")
    PeriodicTask.objects.filter(pk=broken.pk).update(interval=None)

    assert periodic.fire_periodic(clock.now(), send=lambda _: None) == 1

    broken.refresh_from_db()
    assert broken.enabled is False


@pytest.mark.django_db(transaction=True)
def test_of_three_beats_one_sends() -> None:
    every_second()
    barrier = Barrier(3)

    def fire(_: int) -> int:
        barrier.wait()
        try:
            return periodic.fire_periodic(clock.now(), send=lambda _: None)
        finally:
            connection.close()

    with ThreadPoolExecutor(3) as pool:
        assert sum(pool.map(fire, range(3))) == 1

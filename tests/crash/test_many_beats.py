"""Any number of beats: each slot once, also when one of them dies."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db.models import F

from executions import clock
from executions.models import Execution, Status
from jobs.policies import Overlap
from tests.factories import ScheduleFactory
from tests.stack import Stack
from tests.waiting import eventually

pytestmark = [pytest.mark.crash, pytest.mark.django_db(transaction=True)]

SLOTS = 12


def test_three_beats_and_a_killed_one_run_every_second_once() -> None:
    with Stack() as stack:
        stack.worker("io")
        beats = [stack.beat(f"beat-{number}") for number in range(3)]
        start = clock.read().replace(microsecond=0) + timedelta(seconds=2)
        schedule = ScheduleFactory.create(
            every_seconds=1, anchor=start, next_fire_at=start, overlap=Overlap.ALLOW
        )
        fired = Execution.objects.filter(schedule=schedule)

        eventually(lambda: fired.count() >= SLOTS // 2, within=30)
        stack.kill(beats[0])
        eventually(lambda: fired.count() >= SLOTS, within=30)
        last = start + timedelta(seconds=SLOTS - 1)
        due = fired.filter(scheduled_for__lte=last)
        eventually(lambda: due.filter(status=Status.SUCCEEDED).count() == SLOTS, within=30)

        slots = due.order_by("scheduled_for").values_list("scheduled_for", flat=True)
        assert list(slots) == [start + timedelta(seconds=number) for number in range(SLOTS)]
        assert set(due.values_list("attempt", flat=True)) == {1}
        assert not due.filter(started_at__lt=F("scheduled_for")).exists()  # never early

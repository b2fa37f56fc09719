"""Rows of django-celery-beat: each slot is sent once, by whichever beat, also to a full broker."""

from __future__ import annotations

import json
from collections import Counter
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from django.conf import settings
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from executions import bell, clock
from tests.stack import Stack
from tests.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.crash, pytest.mark.django_db(transaction=True)]

ROWS = 3
PERIOD = timedelta(seconds=1)
QUEUE = settings.CELERY_BROKER_TRANSPORT_OPTIONS["global_keyprefix"] + "celery"


@pytest.fixture
def redis_takes_writes() -> Iterator[None]:
    bell.client().delete(QUEUE)
    yield
    bell.client().config_set("maxmemory", 0)
    bell.client().delete(QUEUE)


def sent() -> Counter[tuple[str, datetime, str]]:
    """Count the messages that wait for a worker by row, slot and task id."""
    headers = [json.loads(raw)["headers"] for raw in bell.client().lrange(QUEUE, 0, -1)]
    return Counter(
        (
            one["periodic_task_name"],
            datetime.fromisoformat(one["periodic_task_slot"]),
            str(one["id"]),
        )
        for one in headers
        if one["task"] == "some.task"
    )


def newest() -> datetime:
    """The newest slot that every row has sent."""
    found: dict[str, datetime] = {}
    for name, slot, _ in sent():
        found[name] = max(slot, found.get(name, slot))
    return min(found.values()) if len(found) == ROWS else clock.read() - timedelta(days=1)


@pytest.mark.usefixtures("redis_takes_writes")
def test_three_beats_a_killed_one_and_a_full_broker_send_every_slot_once() -> None:
    with Stack() as stack:
        beats = [stack.start_beat(f"beat-{number}") for number in range(3)]
        stack.wait(beats)
        start = clock.read().replace(microsecond=0) + timedelta(seconds=2)
        every = IntervalSchedule.objects.create(every=1, period="seconds")
        for number in range(ROWS):
            PeriodicTask.objects.create(
                name=f"row {number}", task="some.task", interval=every, start_time=start
            )

        eventually(lambda: newest() >= start + 2 * PERIOD, within=20)
        bell.client().config_set("maxmemory", 1)
        before, full_at = newest(), clock.read()
        eventually(lambda: clock.read() > full_at + 4 * PERIOD, within=10)
        assert newest() <= before + PERIOD  # it bit: one may have been on its way
        beats[0].kill()
        bell.client().config_set("maxmemory", 0)
        eventually(lambda: newest() >= full_at + 8 * PERIOD, within=30)
        end = newest()

    messages = sent()
    seconds = int((end - start) / PERIOD) + 1
    due = {(f"row {row}", start + n * PERIOD) for row in range(ROWS) for n in range(seconds)}
    assert {(name, slot) for name, slot, _ in messages if slot <= end} == due
    assert set(messages.values()) == {1}
    assert len({task_id for _, _, task_id in messages}) == len(messages)

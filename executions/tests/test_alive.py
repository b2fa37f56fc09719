"""Who was heard of lately."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from executions import alive
from executions.models import Beat, Worker
from tests.factories import NOON

pytestmark = pytest.mark.django_db

RECENTLY = NOON - timedelta(seconds=14)
LONG_AGO = NOON - timedelta(seconds=16)


def beat(**fields: Any) -> Beat:
    row = {"name": "b", "pid": 1, "version": "1", "started_at": LONG_AGO, "heartbeat_at": RECENTLY}
    return Beat.objects.create(**row | fields)


def worker(**fields: Any) -> Worker:
    row: dict[str, Any] = {"name": "w", "pid": 1, "slots": 4, "version": "1"}
    row |= {"fleet": "io", "started_at": LONG_AGO, "heartbeat_at": RECENTLY}
    return Worker.objects.create(**row | fields)


def test_a_beat_is_alive_for_fifteen_seconds_after_it_was_heard_of() -> None:
    beat()

    assert alive.beat(NOON)
    assert not alive.beat(NOON + timedelta(seconds=2))


def test_a_beat_that_ended_in_order_is_not_alive() -> None:
    beat(stopped_at=RECENTLY)

    assert not alive.beat(NOON)


def test_fleets_are_told_with_their_workers_and_slots() -> None:
    worker()
    worker(slots=2)
    worker(fleet="compute", heartbeat_at=LONG_AGO)

    assert alive.fleets_in_numbers(NOON) == [("io", 2, 6)]
    assert alive.fleets(NOON) == {"io"}

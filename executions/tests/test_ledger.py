"""Rows for slots: the same as an execution that is made by hand, and one for a whole stretch."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from executions.ledger import Ledger
from executions.models import Execution, Status
from jobs.models import Limit, Schedule
from jobs.slots import Stretch, Why
from tests.factories import NOON, JobFactory, TeamFactory

pytestmark = pytest.mark.django_db

LATER = NOON + timedelta(hours=1)


def schedule(by: str = "", **payload: Any) -> Schedule:
    team = TeamFactory.create()
    limit = Limit.objects.create(team=team, name="mail", by=by, concurrency=1)
    job = JobFactory.create(
        team=team,
        version__queue="mail",
        version__priority=1,
        version__limit=limit,
        version__payload=payload,
        version__start_deadline_seconds=90,
    )
    return Schedule.objects.get(job=job)


@pytest.mark.parametrize(
    "payload",
    [
        {},
        {"host": "a"},
        {"host": "ä" * 300},
        {"host": 7},
        {"host": 1e22},
        {"host": 1.5e-7},
        {"host": 2.50},
        {"host": True},
        {"host": None},
        {"host": {"b": 1, "a": [2]}},
        {"": "nobody asks for this"},
    ],
)
@pytest.mark.parametrize("by", ["", "host"])
def test_a_slot_becomes_what_a_start_by_hand_would_be(by: str, payload: dict[str, Any]) -> None:
    row = schedule(by, **payload)
    ledger = Ledger()
    ledger.run(row, NOON, LATER)
    ledger.store(LATER)

    stored = Execution.objects.get()
    Execution.of(row.job, now=LATER, due_at=LATER, schedule=row, scheduled_for=LATER).save()
    by_hand = Execution.objects.get(scheduled_for=LATER)
    differing = {
        field.name
        for field in Execution._meta.concrete_fields
        if getattr(stored, field.attname) != getattr(by_hand, field.attname)
    }
    assert differing == {"id", "scheduled_for"}


def test_one_row_stands_for_a_stretch() -> None:
    row = schedule()
    ledger = Ledger()
    ledger.skip(row, Stretch(NOON, LATER, 61, Why.PAUSED), by="ann")
    ledger.store(LATER)

    stored = Execution.objects.get()
    assert (stored.status, stored.reason) == (Status.SKIPPED, "paused")
    assert (stored.scheduled_for, stored.finished_at) == (NOON, LATER)
    assert stored.result == {
        "first": NOON.isoformat(),
        "last": LATER.isoformat(),
        "count": 61,
        "by": "ann",
    }


def test_a_slot_that_has_a_row_keeps_it() -> None:
    row = schedule()
    for due_at in (NOON, LATER):
        ledger = Ledger()
        ledger.run(row, NOON, due_at)
        ledger.store(LATER)

    assert Execution.objects.get().due_at == NOON


def test_nothing_is_written_for_nothing() -> None:
    Ledger().store(NOON)

    assert not Execution.objects.exists()

"""One look tells a beat what is due and what comes next, however much there is."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection

from executions import ahead
from executions.models import Execution, OutboxEvent, Status
from executions.tests.crowds import analyze, crowd
from jobs import bodies
from jobs.bulk import Bulk
from jobs.models import Schedule
from tests.factories import (
    NOON,
    ExecutionFactory,
    JobFactory,
    QueueFactory,
    RedriveFactory,
    ScheduleFactory,
)

pytestmark = pytest.mark.django_db

SECOND = timedelta(seconds=1)
MANY = 5000


def test_nothing_lies_ahead_of_an_empty_engine() -> None:
    ScheduleFactory.create(enabled=False)
    ExecutionFactory.create(status=Status.SUCCEEDED)

    seen = ahead.look(NOON)

    assert tuple(seen) == (None, None, None, None, False, [])
    assert not seen.slot_is_due(NOON)
    assert not seen.execution_is_due(NOON)
    assert seen.next is None


def test_what_is_due_and_what_comes_next_are_told_apart() -> None:
    for seconds in (-5, 0, 7):
        ScheduleFactory.create(next_fire_at=NOON + seconds * SECOND)
    for queue, seconds in (("mail", -3), ("mail", 9), ("post", 4)):
        ExecutionFactory.create(queue=queue, due_at=NOON + seconds * SECOND)

    seen = ahead.look(NOON)

    assert (seen.slot, seen.coming_slot) == (NOON - 5 * SECOND, NOON + 7 * SECOND)
    assert (seen.execution, seen.coming_execution) == (NOON - 3 * SECOND, NOON + 4 * SECOND)
    assert seen.next == NOON + 4 * SECOND
    assert seen.is_behind(NOON, 4 * SECOND)
    assert not seen.is_behind(NOON, 6 * SECOND)


def test_what_a_limit_holds_back_is_not_due_but_seen() -> None:
    ExecutionFactory.create(blocked_on="job:x")

    seen = ahead.look(NOON)

    assert seen.is_blocked
    assert not seen.execution_is_due(NOON)


def test_chores_are_named_only_when_there_is_something_to_do() -> None:
    assert ahead.chores(NOON) == set()

    JobFactory.create(paused_at=NOON, paused_until=NOON)
    RedriveFactory.create()
    OutboxEvent.objects.create(at=NOON, topic="x")
    ScheduleFactory.create(mode="fixed_delay", next_fire_at=None)

    assert ahead.chores(NOON) == {"pauses", "redrives", "events", "delays"}
    assert ahead.chores(NOON - SECOND) == {"events", "delays"}


def test_the_look_reads_indexes_however_old_the_statistics_are() -> None:
    """They say that nearly all is due, so that any row of a whole table would do."""
    job = JobFactory.create()
    crowd(job, MANY, due_at=NOON)
    body = bodies.merged(bodies.DEFAULTS, {"name": "x", "schedule": {"type": "once"}})
    drafts = [body | {"slug": f"x-{number}"} for number in range(MANY)]
    assert not Bulk(job.team, actor=None).create(drafts, now=NOON)
    with connection.cursor() as cursor:
        analyze()
        cursor.execute("ANALYZE jobs_schedule")
    Schedule.objects.update(next_fire_at=NOON + SECOND)
    Execution.objects.update(status=Status.SUCCEEDED, finished_at=NOON)

    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {ahead.LOOK}", {"now": NOON})
        plan = "\n".join(line for (line,) in cursor.fetchall())

    assert "Seq Scan" not in plan
    assert "Bitmap" not in plan


def test_a_paused_queue_keeps_its_work_due() -> None:
    QueueFactory.create(name="mail", paused_at=NOON)
    ExecutionFactory.create(queue="mail")

    assert ahead.look(NOON).execution_is_due(NOON)

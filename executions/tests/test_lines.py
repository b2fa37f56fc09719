"""Who is next: by class with ageing, teams in turn, and never by reading the backlog."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from executions.models import Execution, Status, lines
from executions.tests.crowds import analyze, crowd
from jobs.policies import Priority
from tests.factories import NOON, ExecutionFactory, JobFactory

if TYPE_CHECKING:
    from uuid import UUID

pytestmark = pytest.mark.django_db

MINUTE = timedelta(minutes=1)


def next_in_line(number: int) -> list[UUID]:
    return lines.next_in_line(
        "default", now=NOON, io_kinds=["http", "noop"], io=number, compute=number
    )


def teams_of(ids: list[UUID]) -> Counter[Any]:
    return Counter(Execution.objects.filter(pk__in=ids).values_list("team", flat=True))


def test_the_more_important_class_goes_first_then_the_longest_due() -> None:
    job = JobFactory.create()
    late = ExecutionFactory.create(job=job, due_at=NOON - timedelta(seconds=2))
    later = ExecutionFactory.create(job=job, due_at=NOON - timedelta(seconds=4))
    urgent = ExecutionFactory.create(job=job, priority=Priority.CRITICAL)

    assert next_in_line(9) == [urgent.pk, later.pk, late.pk]


def test_nothing_is_early_and_nothing_starts_after_its_deadline() -> None:
    ExecutionFactory.create(due_at=NOON + timedelta(milliseconds=1))
    ExecutionFactory.create(start_by=NOON)

    assert next_in_line(9) == lines.oldest("default", now=NOON, limit=9) == []


def test_whoever_waits_a_minute_counts_as_one_class_better() -> None:
    job = JobFactory.create()
    since = NOON - 4 * MINUTE
    bulk = ExecutionFactory.create(job=job, priority=Priority.BULK, due_at=since, created_at=since)
    crowd(job, 50, priority=Priority.NORMAL)

    assert bulk.lane_at(NOON) == Priority.CRITICAL
    assert next_in_line(9)[0] == bulk.pk
    assert len(next_in_line(9)) == 9


def test_a_slot_that_was_noticed_late_waits_since_it_was_noticed() -> None:
    row = ExecutionFactory.create(priority=Priority.LOW, due_at=NOON - 60 * MINUTE, created_at=NOON)

    assert row.lane_at(NOON + timedelta(seconds=59)) == Priority.LOW
    assert row.lane_at(NOON + MINUTE) == Priority.NORMAL


def test_what_was_interrupted_goes_before_what_nobody_has_begun() -> None:
    job = JobFactory.create()
    crowd(job, 50, priority=Priority.HIGH)
    retried = ExecutionFactory.create(job=job, priority=Priority.LOW, attempt=1, failures=1)
    lost = ExecutionFactory.create(job=job, priority=Priority.BULK, attempt=2, failures=1)

    assert (lost.lane_at(NOON), retried.lane_at(NOON)) == (Priority.CRITICAL, Priority.LOW)
    assert next_in_line(9)[0] == lost.pk


def test_a_critical_start_does_not_wait_behind_a_backlog_that_has_aged() -> None:
    job = JobFactory.create()
    since = NOON - 60 * MINUTE
    crowd(job, 1000, due_at=since, created_at=since)
    urgent = ExecutionFactory.create(job=job, priority=Priority.CRITICAL)

    assert urgent.pk in next_in_line(2)


def test_a_team_with_ten_thousand_does_not_keep_small_teams_waiting() -> None:
    big = JobFactory.create()
    crowd(big, 10_000, due_at=NOON - timedelta(seconds=30))
    small = [JobFactory.create() for _ in range(10)]
    for job in small:
        crowd(job, 10)

    first = teams_of(next_in_line(110))

    assert all(first[job.team_id] == 10 for job in small)
    assert first[big.team_id] == 10


def test_what_a_team_has_in_flight_counts() -> None:
    busy, idle = JobFactory.create(), JobFactory.create()
    crowd(busy, 20, status=Status.QUEUED)
    crowd(busy, 20, due_at=NOON - timedelta(seconds=30))
    crowd(idle, 20)

    assert teams_of(next_in_line(20)) == {idle.team_id: 20}


def test_each_fleet_is_asked_for_its_own() -> None:
    crowd(JobFactory.create(kind="http"), 5)
    crowd(JobFactory.create(kind="python"), 5)

    ids = lines.next_in_line("default", now=NOON, io_kinds=["http"], io=0, compute=3)

    assert set(Execution.objects.filter(pk__in=ids).values_list("kind", flat=True)) == {"python"}
    assert len(ids) == 3


def test_the_next_instant_is_that_of_any_queue() -> None:
    ExecutionFactory.create(due_at=NOON)
    ExecutionFactory.create(due_at=NOON + 2 * MINUTE)
    ExecutionFactory.create(queue="mail", due_at=NOON + MINUTE)
    ExecutionFactory.create(queue="post", due_at=NOON + MINUTE / 2, blocked_on="job:x")

    assert Execution.objects.next_instant(NOON) == NOON + MINUTE
    assert lines.due_queues(NOON) == ["default"]


def test_only_the_ends_of_lines_are_read() -> None:
    """20 000 rows in 40 lines: each decision reads what it may return, and a row for each line."""
    teams = [JobFactory.create() for _ in range(20)]
    for job in teams:
        crowd(job, 500, priority=Priority.NORMAL)
        crowd(job, 500, priority=Priority.BULK)
    analyze()

    with CaptureQueriesContext(connection) as captured:
        next_in_line(10)
        lines.oldest("default", now=NOON, limit=10)
        lines.due_queues(NOON)
        lines.next_instant(NOON)

    plans = [explained(query["sql"]) for query in captured]
    assert all("Seq Scan on executions_execution" not in plan for plan in plans)
    assert "execution_line_idx" in plans[0]
    assert all("execution_next_idx" in plan for plan in plans[1:])
    assert most_rows(plans[0]) <= 40 * 10


def explained(sql: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, TIMING off, COSTS off) {sql}")
        return "\n".join(row[0] for row in cursor.fetchall())


def most_rows(plan: str) -> int:
    """How many rows the busiest scan of the table returned, over all of its loops."""
    scans = [line for line in plan.splitlines() if "executions_execution" in line]
    actual = [line.partition("actual rows=")[2].split() for line in scans if "rows=" in line]
    return max(int(float(rows)) * int(loops[6:-1]) for rows, loops in actual)

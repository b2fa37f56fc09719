"""How queues stand: each state counts for its queue, and a backlog costs no more."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from executions import standing
from executions.models import Execution, Status
from executions.standing import lines
from jobs.policies import Priority
from tests.factories import NOON, ExecutionFactory, QueueFactory, TeamFactory

pytestmark = pytest.mark.django_db

MINUTE = timedelta(minutes=1)
PARTIAL_INDEXES = {one.name for one in Execution._meta.indexes if one.condition}  # small ones


def test_queues_are_listed_with_their_oldest_and_whether_they_are_paused() -> None:
    QueueFactory.create(name="mail")
    waiting = ExecutionFactory.create(queue="mail", due_at=NOON - MINUTE)
    ExecutionFactory.create(job=waiting.job, queue="mail", status=Status.QUEUED)
    QueueFactory.create(name="bulk", paused_at=NOON)

    found = lines(NOON, teams=[waiting.team_id])

    assert [(line.name, line.paused, line.waiting) for line in found] == [
        ("bulk", True, 0),
        ("mail", False, 2),
    ]
    assert found[1].oldest_due_at == waiting.due_at
    assert found == lines(NOON)


def test_what_a_limit_holds_back_and_what_waits_for_a_report_waits() -> None:
    held = ExecutionFactory.create(blocked_on="job:1", due_at=NOON - MINUTE)
    ExecutionFactory.create(job=held.job, blocked_on="job:1", due_at=NOON + MINUTE)
    ExecutionFactory.create(job=held.job, status=Status.WAITING, due_at=NOON + MINUTE)

    (line,) = lines(NOON, teams=[held.team_id])

    assert (line.waiting, line.late, line.oldest_due_at) == (2, 1, held.due_at)


def test_each_priority_of_each_team_counts() -> None:
    QueueFactory.create()
    mine = ExecutionFactory.create()
    for priority in Priority:
        ExecutionFactory.create(job=mine.job, priority=priority)
    other = ExecutionFactory.create()

    assert [line.waiting for line in lines(NOON, teams=[mine.team_id])] == [len(Priority) + 1]
    assert lines(NOON, teams=[mine.team_id, other.team_id]) == lines(NOON)
    assert lines(NOON, teams=[TeamFactory.create().pk]) == []


def test_a_backlog_is_counted_up_to_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(standing, "MOST", 3)
    job = ExecutionFactory.create(due_at=NOON - MINUTE).job
    Execution.objects.bulk_create(Execution.of(job, now=NOON, due_at=NOON) for _ in range(5))

    for found in (lines(NOON), lines(NOON, teams=[job.team_id])):
        assert [(line.waiting, line.oldest_due_at) for line in found] == [(3, NOON - MINUTE)]


def test_no_number_needs_the_whole_history() -> None:
    job = ExecutionFactory.create().job
    Execution.objects.bulk_create(
        Execution.of(job, now=NOON, due_at=NOON, status=Status.SUCCEEDED, finished_at=NOON)
        for _ in range(3000)
    )
    for teams in (None, [job.team_id]):
        with CaptureQueriesContext(connection) as captured:
            lines(NOON, teams=teams)
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE executions_execution")
            cursor.execute(f"EXPLAIN {captured[-1]['sql']}")
            plan = "\n".join(row[0] for row in cursor.fetchall())

        used = set(re.findall(r"Index (?:Only )?Scan (?:using|on) (\w+)", plan))
        assert "Seq Scan on executions_execution" not in plan
        assert used
        assert used <= PARTIAL_INDEXES, plan

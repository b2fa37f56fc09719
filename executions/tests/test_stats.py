"""The numbers of the dashboard."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import Team
from executions import stats
from executions.models import Execution, Status
from executions.tests.plans import planned
from lib.ids import new_id
from tests.factories import ExecutionFactory, JobFactory, QueueFactory, TeamFactory

pytestmark = pytest.mark.django_db

MINUTE = timedelta(minutes=1)
PARTIAL_INDEXES = {one.name for one in Execution._meta.indexes if one.condition}  # small ones


def numbers(team: Team) -> stats.Dashboard:
    return stats.dashboard(team, now=timezone.now())


def test_each_word_counts_what_it_says() -> None:
    now = timezone.now()
    job = JobFactory.create()
    ExecutionFactory.create(job=job, status=Status.RUNNING)
    for status in [Status.SCHEDULED, Status.QUEUED, Status.WAITING]:
        ExecutionFactory.create(job=job, status=status, due_at=now)
    ExecutionFactory.create(job=job, due_at=now + timedelta(hours=1))
    ExecutionFactory.create(job=job, due_at=now - MINUTE)
    ExecutionFactory.create(job=job, status=Status.SUCCEEDED, finished_at=now)
    ExecutionFactory.create(job=job, status=Status.FAILED, finished_at=now - 10 * MINUTE)
    ExecutionFactory.create(job=job, status=Status.FAILED, resolved_at=now)
    JobFactory.create(team=job.team, paused_at=now)

    found = numbers(job.team)

    assert (found.active, found.waiting, found.late) == (1, 4, 1)
    assert (found.completed, found.failed, found.dead, found.paused) == (1, 2, 1, 1)
    assert found.rates.completed_per_minute == 0.2
    assert found.rates.success == 0.3333


def test_another_team_counts_for_nothing() -> None:
    ExecutionFactory.create(status=Status.RUNNING)
    ExecutionFactory.create(status=Status.FAILED)
    JobFactory.create(paused_at=timezone.now())

    found = numbers(TeamFactory.create())

    assert not any([found.active, found.waiting, found.failed, found.dead, found.paused])
    assert found.rates.success is None


def test_what_was_made_more_than_a_day_ago_is_over() -> None:
    job = JobFactory.create()
    made = timezone.now() - timedelta(hours=25)
    ExecutionFactory.create(job=job, id=stats.first_id(made), status=Status.SUCCEEDED)

    assert numbers(job.team).completed == 0


def test_queues_are_listed_with_their_oldest_and_whether_they_are_paused() -> None:
    due = timezone.now() - MINUTE
    waiting = ExecutionFactory.create(queue="mail", due_at=due)
    ExecutionFactory.create(job=waiting.job, queue="mail", status=Status.QUEUED)
    QueueFactory.create(name="bulk", paused_at=due)

    lines = stats.lines(Execution.objects.of_team(waiting.team), now=timezone.now())

    assert [(line.name, line.paused, line.waiting) for line in lines] == [
        ("bulk", True, 0),
        ("mail", False, 2),
    ]
    assert lines[1].oldest_due_at == due


def test_the_first_id_of_an_instant_lies_before_every_id_made_since() -> None:
    assert stats.first_id(timezone.now() - timedelta(milliseconds=5)) < new_id()
    assert new_id() < stats.first_id(timezone.now() + timedelta(milliseconds=5))


def test_the_number_of_queries_does_not_grow(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    job = JobFactory.create()
    for queue in ["a", "b", "c"]:
        ExecutionFactory.create(job=job, queue=queue)

    with django_assert_num_queries(7):
        numbers(job.team)


def test_no_number_needs_the_whole_history() -> None:
    now = timezone.now()
    job = ExecutionFactory.create().job
    Execution.objects.bulk_create(
        Execution.of(job, now=now, due_at=now, status=Status.SUCCEEDED, finished_at=now)
        for _ in range(3000)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE executions_execution")

    with planned() as plans:
        numbers(job.team)

    reads = [plan for plan in plans if "on executions_execution" in plan]
    assert len(reads) == len(["waiting", "lately", "dead"])
    for plan in reads:
        assert "Seq Scan" not in plan
        used = set(re.findall(r"Index (?:Only )?Scan (?:using|on) (\w+)", plan))
        assert used <= PARTIAL_INDEXES or "Index Cond: (id >=" in plan, plan

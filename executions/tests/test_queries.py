"""Every hot query walks a partial index, however long the history is."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.db.models import QuerySet

from accounts.models import Team
from executions.models import Execution, Status
from executions.models.execution_queries import ExecutionQuerySet
from executions.tests.crowds import analyze, crowd
from jobs.models import Job, Schedule
from tests.factories import NOON, ExecutionFactory, JobFactory

pytestmark = pytest.mark.django_db

HISTORY = 5000


@pytest.fixture
def history() -> None:
    """Many finished executions and idle schedules, so that a sequential scan does not pay."""
    job = JobFactory.create()
    crowd(job, HISTORY, status=Status.SUCCEEDED)
    ExecutionFactory.create(job=job)
    analyze()


def of_a_team() -> ExecutionQuerySet:
    return Execution.objects.of_team(Team.objects.get())


def plan(rows: QuerySet[Execution]) -> str:
    return rows.explain()


@pytest.mark.usefixtures("history")
@pytest.mark.parametrize(
    ("question", "index"),
    [
        (lambda: Execution.objects.overdue_message(NOON)[:100], "execution_busy"),
        (lambda: Execution.objects.lost(NOON)[:100], "execution_busy"),
        (lambda: of_a_team().dead().order_by("-pk")[:100], "execution_dead_idx"),
        (lambda: Execution.objects.past_start(NOON)[:100], "execution_start_by_idx"),
        (lambda: Execution.objects.unreported(NOON)[:100], "execution_report_idx"),
    ],
    ids=["overdue_message", "lost", "dead", "past_start", "unreported"],
)
def test_hot_queries_read_only_what_waits(question: object, index: str) -> None:
    assert index in plan(question())  # type: ignore[operator]


def test_schedules_and_jobs_that_a_pass_handles_are_found_by_their_index() -> None:
    job = JobFactory.create(schedule=False)
    jobs = [job] + [JobFactory.create(team=job.team, schedule=False) for _ in range(3)]
    Schedule.objects.bulk_create(
        Schedule(job=job, type="interval", every_seconds=60, next_fire_at=NOON) for job in jobs
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE jobs_schedule")
        cursor.execute("SET LOCAL enable_seqscan = off")  # four rows fit into one page
        cursor.execute("SET LOCAL enable_sort = off")  # and cost nothing to sort

    for question, index in (
        (Schedule.objects.due(NOON), "schedule_due_idx"),
        (Schedule.objects.newly_due(NOON), "schedule_due_idx"),
        (Schedule.objects.unarmed(), "schedule_unarmed_idx"),
        (Schedule.objects.unaudited(NOON), "schedule_unaudited_idx"),
        (Job.objects.resting_until(NOON), "job_paused_until_idx"),
    ):
        assert index in question[:100].explain()
    assert Schedule.objects.due(NOON - timedelta(seconds=1)).count() == 0

"""The numbers of the dashboard."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import Team
from executions import outbox, stats, transitions
from executions.models import Execution, Rollup, Status
from executions.models.rollup import EVERYBODY, Grain
from executions.reports import Report
from executions.rollups import SUMS
from executions.tests.plans import planned
from lib.ids import new_id
from tests.factories import NOON, ExecutionFactory, JobFactory, TeamFactory

pytestmark = pytest.mark.django_db

MINUTE = timedelta(minutes=1)
PARTIAL_INDEXES = {one.name for one in Execution._meta.indexes if one.condition}  # small ones


def numbers(team: Team, now: datetime = NOON) -> stats.Dashboard:
    return stats.dashboard(team, now=now)


def ended(team: Team, at: datetime, **counts: int) -> None:
    """The minute and the hour of ``at`` have seen so many ends, on top of what they had."""
    for grain, start in ((Grain.MINUTE, at), (Grain.HOUR, at.replace(minute=0))):
        zero: dict[str, Any] = dict.fromkeys(SUMS, 0) | {"late": [], "took": []}
        key = {"subject": team.pk, "grain": grain, "at": start, "queue": "default"}
        row, _ = Rollup.objects.get_or_create(**key, defaults=zero)
        for name, number in counts.items():
            setattr(row, name, getattr(row, name) + number)
        row.save()


def test_each_word_counts_what_it_says() -> None:
    job = JobFactory.create()
    ExecutionFactory.create(job=job, status=Status.RUNNING)
    for status in [Status.SCHEDULED, Status.QUEUED, Status.WAITING]:
        ExecutionFactory.create(job=job, status=status)
    ExecutionFactory.create(job=job, due_at=NOON + timedelta(hours=1))
    ExecutionFactory.create(job=job, due_at=NOON - MINUTE)
    ExecutionFactory.create(job=job, status=Status.FAILED)
    ExecutionFactory.create(job=job, status=Status.FAILED, resolved_at=NOON)
    JobFactory.create(team=job.team, paused_at=NOON)
    ended(job.team, NOON, succeeded=2)
    ended(job.team, NOON - 10 * MINUTE, succeeded=4, failed=2)

    found = numbers(job.team)

    assert (found.active, found.waiting, found.late) == (1, 4, 1)
    assert (found.completed, found.failed, found.dead, found.paused) == (6, 2, 1, 1)
    assert found.rates.completed_per_minute == 0.5
    assert found.rates.success == 0.75


def test_another_team_counts_for_nothing() -> None:
    other = ExecutionFactory.create(status=Status.RUNNING).team
    ExecutionFactory.create(status=Status.FAILED)
    JobFactory.create(paused_at=NOON)
    ended(other, NOON, failed=1)

    found = numbers(TeamFactory.create())

    assert not any([found.active, found.waiting, found.failed, found.dead, found.paused])
    assert found.rates.success is None


def test_what_ended_more_than_a_day_ago_is_over() -> None:
    team = TeamFactory.create()
    for ago in (timedelta(hours=24), timedelta(hours=24) - MINUTE):
        ended(team, NOON - ago, succeeded=1)

    assert numbers(team).completed == 1


def test_rates_are_those_of_the_last_minutes_as_far_as_they_have_come() -> None:
    team = TeamFactory.create()
    for minutes in range(7):
        ended(team, NOON - minutes * MINUTE, succeeded=60, failed=6)

    found = numbers(team, NOON + MINUTE / 2).rates

    assert found.completed_per_minute == round(5 * 60 / 4.5, 3)
    assert found.failed_per_minute == round(5 * 6 / 4.5, 3)


def test_a_run_shows_once_the_outbox_has_told_it() -> None:
    execution = ExecutionFactory.create(status=Status.QUEUED)
    claimed = transitions.claim(execution.pk, worker="a", now=NOON, lease=MINUTE)
    assert claimed is not None
    transitions.succeed(claimed, now=NOON, report=Report())

    outbox.deliver(NOON, channels=())

    assert numbers(execution.team).completed == 1
    assert stats.finished([EVERYBODY], now=NOON).completed == 1


def test_the_first_id_of_an_instant_lies_before_every_id_made_since() -> None:
    assert stats.first_id(timezone.now() - timedelta(milliseconds=5)) < new_id()
    assert new_id() < stats.first_id(timezone.now() + timedelta(milliseconds=5))


def test_the_number_of_queries_does_not_grow(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    job = JobFactory.create()
    for queue in ["a", "b", "c"]:
        ExecutionFactory.create(job=job, queue=queue)

    with django_assert_num_queries(8):
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
    assert len(reads) == len(["dead"])
    for plan in reads:
        used = set(re.findall(r"Index (?:Only )?Scan (?:using|on) (\w+)", plan))
        assert "Seq Scan" not in plan
        assert used
        assert used <= PARTIAL_INDEXES, plan

"""Small rows that nobody needs any more are deleted, the oldest first."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django_celery_results.models import TaskResult
from pytest_django import Settings

from executions.maintenance import (
    forget_events,
    forget_processes,
    forget_redrives,
    forget_results,
)
from executions.models import Beat, OutboxEvent, Redrive
from tests.factories import NOON, ExecutionFactory, RedriveFactory

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
OLD, YOUNG = NOON - 40 * DAY, NOON - DAY


@pytest.fixture(autouse=True)
def kept(settings: Settings) -> None:
    settings.CHRONOS_KEEP_DAYS = 30
    settings.CHRONOS_KEEP_FAILED_DAYS = 60
    settings.CHRONOS_KEEP_RESULTS_DAYS = 3


def results(*ages: timedelta) -> None:
    for age in ages:
        row = TaskResult.objects.create(task_id=str(age))
        TaskResult.objects.filter(pk=row.pk).update(date_done=NOON - age)


def test_results_are_kept_for_days() -> None:
    results(2 * DAY, 4 * DAY)

    assert forget_results(NOON) == 1
    assert TaskResult.objects.get().task_id == str(2 * DAY)


def test_a_batch_takes_the_oldest() -> None:
    results(5 * DAY, 6 * DAY, 7 * DAY)

    assert forget_results(NOON, limit=2) == 2
    assert TaskResult.objects.get().task_id == str(5 * DAY)
    assert [forget_results(NOON, limit=2) for _ in range(2)] == [1, 0]


def test_results_are_kept_for_ever_where_nothing_says_for_how_long(
    settings: Settings,
) -> None:
    settings.CHRONOS_KEEP_RESULTS_DAYS = 0
    results(4000 * DAY)

    assert forget_results(NOON) == 0


def test_only_events_that_were_set_aside_long_ago_are_forgotten() -> None:
    for at, fault in [(OLD, "never"), (YOUNG, "never"), (OLD, "")]:
        OutboxEvent.objects.create(at=at, topic="job.paused", fault=fault)

    assert forget_events(NOON) == 1
    assert set(OutboxEvent.objects.values_list("at", "fault")) == {(YOUNG, "never"), (OLD, "")}


def test_a_redrive_stays_as_long_as_anything_that_it_started() -> None:
    used = RedriveFactory.create(finished_at=OLD)
    ExecutionFactory.create(redrive=used)
    young = RedriveFactory.create(finished_at=YOUNG)
    running = RedriveFactory.create()
    RedriveFactory.create(finished_at=OLD)

    assert forget_redrives(NOON) == 1
    assert set(Redrive.objects.all()) == {used, young, running}


def test_processes_are_forgotten_that_have_been_silent_for_long() -> None:
    for at in (OLD, YOUNG):
        Beat.objects.create(name="b", pid=1, version="1", started_at=OLD, heartbeat_at=at)

    assert forget_processes(NOON) == 1
    assert Beat.objects.get().heartbeat_at == YOUNG

"""What ended is added up once, where it belongs, whatever crashes meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import connection, transaction

from executions import ledger, outbox, rollups, transitions
from executions.maintenance import forget_events, forget_rollups
from executions.maintenance.forget import KEPT
from executions.models import Execution, OutboxEvent, Rollup, Status
from executions.models.rollup import BOUNDS, EVERYBODY, Grain
from executions.reports import Report
from executions.stream import ChannelAwayError
from jobs.models import Job
from jobs.slots import Stretch, Why
from tests.factories import NOON, ExecutionFactory, JobFactory, ScheduleFactory

pytestmark = pytest.mark.django_db

SECOND, MINUTE, HOUR, DAY = (
    timedelta(**{unit: 1}) for unit in ("seconds", "minutes", "hours", "days")
)
LEASE = timedelta(seconds=30)


class Away:
    """A channel that takes nothing."""

    def send(self, events: Sequence[OutboxEvent]) -> dict[int, str]:
        raise ChannelAwayError("away")


class Picky:
    """A channel that takes everything and refuses it for good."""

    def send(self, events: Sequence[OutboxEvent]) -> dict[int, str]:
        return {event.pk: "never" for event in events}


def deliver(limit: int = 500) -> int:
    return outbox.deliver(NOON, limit, channels=())


def queued(job: Job | None = None, **fields: Any) -> Execution:
    whose = {"job": job} if job else {}
    return ExecutionFactory.create(status=Status.QUEUED, **whose | fields)


def run(execution: Execution, *, start: datetime = NOON, took: timedelta = SECOND) -> Execution:
    claimed(execution, start)
    transitions.succeed(execution, now=start + took, report=Report())
    return execution


def claimed(execution: Execution, at: datetime) -> None:
    """Claim it as of ``at``: the statement itself starts nothing before the database's now."""
    Execution.objects.filter(pk=execution.pk).update(status=Status.QUEUED)
    assert transitions.claim(execution.pk, worker="a", now=at, lease=LEASE)
    Execution.objects.filter(pk=execution.pk).update(started_at=at)
    execution.attempts.filter(finished_at=None).update(started_at=at)
    execution.refresh_from_db()


def row(subject: UUID, grain: Grain, at: datetime, queue: str = "default") -> Rollup:
    return Rollup.objects.get(subject=subject, grain=grain, at=at, queue=queue)


def test_an_end_counts_for_its_team_its_job_and_everybody_in_each_grain() -> None:
    job = run(queued()).job
    deliver()

    noon, midnight = NOON, NOON.replace(hour=0)
    for subject in (job.team_id, EVERYBODY):
        for grain, at in ((Grain.MINUTE, noon), (Grain.HOUR, noon), (Grain.DAY, midnight)):
            assert row(subject, grain, at).succeeded == row(subject, grain, at).started == 1
    for grain, at in ((Grain.HOUR, noon), (Grain.DAY, midnight)):
        assert row(job.pk, grain, at, queue="").succeeded == 1
    assert Rollup.objects.count() == 8


def test_each_way_to_end_has_its_number() -> None:
    job = JobFactory.create()
    run(queued(job))
    verbs: tuple[Callable[[Execution], None], ...] = (
        lambda one: transitions.fail(one, now=NOON, report=Report()),
        lambda one: transitions.retry(one, now=NOON, report=Report(), due_at=NOON),
        lambda one: transitions.lose(one, now=NOON, report=Report()),
        lambda one: transitions.hand_back(one, now=NOON, report=Report()),
        lambda one: transitions.cancel(one, now=NOON, actor="ann"),
    )
    for verb in verbs:
        execution = queued(job)
        claimed(execution, NOON)
        verb(execution)
    transitions.cancel(queued(job), now=NOON, actor="ann")
    transitions.skip(queued(job), now=NOON, reason="overlap", detail={})
    deliver()

    found = row(job.team_id, Grain.MINUTE, NOON)
    numbers = {name: getattr(found, name) for name in rollups.COUNTS}
    assert numbers == {
        "started": 6,
        "succeeded": 1,
        "failed": 1,
        "retried": 1,
        "lost": 1,
        "cancelled": 2,
        "skipped": 1,
    }


def test_an_attempt_that_ended_before_a_cancel_counts_once() -> None:
    execution = queued()
    claimed(execution, NOON)
    transitions.retry(execution, now=NOON, report=Report(), due_at=NOON + HOUR)
    transitions.cancel(execution, now=NOON, actor="ann")
    deliver()

    found = row(EVERYBODY, Grain.MINUTE, NOON)
    assert (found.started, found.retried, found.cancelled) == (1, 1, 1)


def test_a_stretch_counts_as_its_slots() -> None:
    schedule = ScheduleFactory.create()
    stretch = Stretch(first=NOON - HOUR, last=NOON, count=61, why=Why.MISFIRE)
    ledger.record_skipped(schedule, stretch, NOON, {})
    deliver()

    assert row(EVERYBODY, Grain.MINUTE, NOON).skipped == 61


def test_a_start_counts_where_it_was_and_an_end_where_it_was() -> None:
    run(queued(), start=NOON - HOUR, took=HOUR)
    deliver()

    before, after = row(EVERYBODY, Grain.HOUR, NOON - HOUR), row(EVERYBODY, Grain.HOUR, NOON)
    assert (before.started, before.succeeded) == (1, 0)
    assert (after.started, after.succeeded) == (0, 1)


def test_late_ends_come_on_top_of_what_was_counted() -> None:
    job = JobFactory.create()
    for _ in range(3):
        run(queued(job), took=2 * SECOND)
        deliver()

    found = row(job.team_id, Grain.MINUTE, NOON)
    assert (found.succeeded, found.took_seconds) == (3, 6.0)
    assert found.took[BOUNDS.index(3.0)] == sum(found.took) == 3


def test_lateness_and_length_fall_into_classes() -> None:
    run(queued(due_at=NOON - 20 * SECOND), took=20_000 * SECOND)
    deliver()

    end = (NOON + 20_000 * SECOND).replace(second=0)
    found = row(EVERYBODY, Grain.MINUTE, end)
    assert (found.late_seconds, found.took_seconds) == (20.0, 20_000.0)
    assert found.late[BOUNDS.index(30.0)] == found.took[-1] == 1


def test_what_is_not_about_ends_counts_for_nothing() -> None:
    for topic in ("queue.paused", "execution.promised"):
        outbox.tell(topic, team=None, subject=None, body={"job": "?", "attempt": "?"}, now=NOON)

    assert deliver() == 2
    assert not Rollup.objects.exists()


def test_an_execution_that_is_gone_still_counts() -> None:
    execution = run(queued())
    execution.attempts.all().delete()
    execution.delete()
    deliver()

    assert row(execution.team_id, Grain.MINUTE, NOON, queue="").succeeded == 1


def test_a_crash_before_the_commit_counts_nothing() -> None:
    run(queued())

    with suppress(RuntimeError), transaction.atomic():
        deliver()
        raise RuntimeError("the process dies here")

    assert not Rollup.objects.exists()
    deliver()
    deliver()
    assert row(EVERYBODY, Grain.MINUTE, NOON).succeeded == 1


def test_nothing_counts_twice_because_a_channel_was_away() -> None:
    run(queued())
    outbox.deliver(NOON, channels=[Away()])
    assert not Rollup.objects.exists()

    deliver()
    assert row(EVERYBODY, Grain.MINUTE, NOON).succeeded == 1


def test_what_was_set_aside_counts_when_it_is_delivered_or_forgotten(settings: Any) -> None:
    settings.CHRONOS_KEEP_DAYS = settings.CHRONOS_KEEP_FAILED_DAYS = 30
    job = JobFactory.create()
    run(queued(job))
    run(queued(job))
    outbox.deliver(NOON, channels=[Picky()])
    assert not Rollup.objects.exists()

    OutboxEvent.objects.filter(pk=OutboxEvent.objects.first().pk).update(fault="")  # type: ignore[union-attr]
    deliver()
    assert row(EVERYBODY, Grain.MINUTE, NOON).succeeded == 1
    assert forget_events(NOON + 31 * DAY) == 1
    assert row(EVERYBODY, Grain.MINUTE, NOON).succeeded == 2


@pytest.mark.django_db(transaction=True)
def test_any_number_of_beats_count_each_end_once() -> None:
    jobs = [JobFactory.create() for _ in range(5)]
    for n in range(60):
        run(queued(jobs[n % 5], queue=f"q{n % 3}"))

    def alone(_: int) -> int:
        try:
            return sum(deliver(4) for _ in range(20))
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        delivered = sum(pool.map(alone, range(4)))
    assert delivered + sum(deliver(4) for _ in range(20)) == 60  # some may have met locks only

    for grain in Grain:
        rows = Rollup.objects.filter(subject=EVERYBODY, grain=grain)
        assert sum(one.succeeded for one in rows) == 60
    by_job = Rollup.objects.filter(subject__in=[job.pk for job in jobs], grain=Grain.HOUR)
    assert [one.succeeded for one in by_job] == [12] * 5


@pytest.mark.parametrize(
    ("since", "until", "found"),
    [
        (NOON - DAY, NOON, 4),
        (NOON - DAY + MINUTE, NOON + MINUTE, 4),
        (NOON - 3 * HOUR, NOON - HOUR, 2),
        (NOON - 30 * MINUTE, NOON, 0),
        (NOON, NOON + MINUTE, 1),
        (NOON - 2 * HOUR + MINUTE, NOON - 2 * HOUR + 31 * MINUTE, 1),
    ],
)
def test_a_time_is_made_of_hours_and_of_minutes_at_its_edges(
    since: datetime, until: datetime, found: int
) -> None:
    job = JobFactory.create()
    for ago in (DAY, 2 * HOUR, 90 * MINUTE, HOUR, timedelta(0)):
        run(queued(job), start=NOON - ago, took=timedelta(0))
    deliver()

    total = rollups.total([job.team_id], since=since, until=until)

    assert total.succeeded == found
    assert rollups.total([job.pk], since=since, until=until).failed == 0


def test_the_finer_a_row_the_sooner_it_is_forgotten() -> None:
    run(queued())
    deliver()

    while forget_rollups(NOON + KEPT[Grain.MINUTE] + MINUTE):
        pass
    assert {one.grain for one in Rollup.objects.all()} == {Grain.HOUR, Grain.DAY}
    assert forget_rollups(NOON + KEPT[Grain.DAY] + DAY, limit=1) == 1


def test_the_hour_in_which_so_many_had_ended_is_known() -> None:
    for ago in (timedelta(0), HOUR, HOUR, 5 * HOUR):
        run(queued(), start=NOON - ago, took=timedelta(0))
    deliver()

    assert [rollups.began(number) for number in (1, 2, 3, 4, 5)] == [
        NOON,
        NOON - HOUR,
        NOON - HOUR,
        NOON - 5 * HOUR,
        None,
    ]
    Rollup.objects.filter(grain=Grain.HOUR).delete()
    assert rollups.began(4) == NOON.replace(hour=0)


def test_all_days_add_up() -> None:
    assert rollups.ever().succeeded == 0
    for ago in (timedelta(0), 30 * DAY):
        run(queued(due_at=NOON - ago - 2 * SECOND), start=NOON - ago)
    deliver()

    ever = rollups.ever()

    assert (ever.succeeded, ever.late_seconds, ever.took_seconds) == (2, 4.0, 2.0)
    assert ever.late[BOUNDS.index(3.0)] == sum(ever.late) == 2
    assert ever.took[BOUNDS.index(1.0) + 1] == sum(ever.took) == 2

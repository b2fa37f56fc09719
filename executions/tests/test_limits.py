"""Limits: who would exceed one waits aside, in nobody's way, and comes back in order."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from executions import bell, clock, dispatch, limits, transitions
from executions.models import Attempt, Execution, Queue, Status, blocked
from executions.reports import Report
from executions.tests.crowds import analyze, crowd, in_parallel
from jobs.models import Job, JobVersion, Limit, Schedule
from jobs.policies import Priority
from tests.factories import NOON, ExecutionFactory, JobFactory, QueueFactory, ScheduleFactory

if TYPE_CHECKING:
    from pytest_django import DjangoCaptureOnCommitCallbacks

pytestmark = pytest.mark.django_db

LEASE = timedelta(seconds=30)
SECOND = timedelta(seconds=1)


def limited(**fields: Any) -> tuple[Job, dict[str, Any]]:
    """A job with a limit, and the fields that an execution of it has."""
    job = JobFactory.create()
    limit = Limit.objects.create(team=job.team, name="mail", **fields)
    return job, {"limit": limit, "limit_key": str(limit.pk)}


def counts() -> tuple[int, int]:
    """How many are in flight, and how many are set aside."""
    aside = Execution.objects.filter(status=Status.SCHEDULED).exclude(blocked_on="")
    return Execution.objects.in_flight().count(), aside.count()


def start(now: Any) -> None:
    """Let a worker take what is queued."""
    for pk in Execution.objects.filter(status=Status.QUEUED).values_list("pk", flat=True):
        assert transitions.claim(pk, worker="w", now=now, lease=LEASE)


def finish(execution: Execution, now: Any = NOON) -> None:
    claimed = transitions.claim(execution.pk, worker="w", now=now, lease=LEASE)
    assert claimed is not None
    transitions.succeed(claimed, now=now, report=Report())


def test_a_job_runs_no_more_at_once_than_it_allows() -> None:
    job = JobFactory.create(version__concurrency=2)
    crowd(job, 5)

    assert dispatch.queue_due(NOON) == 5

    assert counts() == (2, 3)
    assert set(Execution.objects.exclude(blocked_on="").values_list("blocked_on", flat=True)) == {
        f"job:{job.pk}"
    }


def test_whoever_is_set_aside_is_in_nobody_s_way() -> None:
    QueueFactory.create(name="mail", window=3)
    greedy = JobFactory.create(version__concurrency=1)
    crowd(greedy, 200, queue="mail", due_at=NOON - SECOND)
    other = ExecutionFactory.create(job__team=greedy.team, queue="mail")

    dispatch.queue_due(NOON)

    other.refresh_from_db()
    assert other.status == Status.QUEUED
    assert counts() == (2, 199)


def test_jobs_that_share_a_limit_share_its_room() -> None:
    job, fields = limited(concurrency=3)
    crowd(job, 4, **fields)
    crowd(JobFactory.create(team=job.team), 4, **fields)

    dispatch.queue_due(NOON)

    assert counts() == (3, 5)


def test_each_key_has_the_limit_to_itself() -> None:
    job, fields = limited(concurrency=1, by="host")
    for host in ["a", "b"]:
        crowd(job, 3, **fields | {"limit_key": f"{fields['limit'].pk}:{host}"})

    dispatch.queue_due(NOON)

    assert counts() == (2, 4)


def test_when_one_ends_the_best_of_those_who_wait_goes_next() -> None:
    job = JobFactory.create(version__concurrency=1)
    first = ExecutionFactory.create(job=job, due_at=NOON - 9 * SECOND)
    ExecutionFactory.create(job=job, due_at=NOON - 2 * SECOND)
    older = ExecutionFactory.create(job=job, due_at=NOON - 3 * SECOND)
    urgent = ExecutionFactory.create(job=job, priority=Priority.HIGH)
    dispatch.queue_due(NOON - SECOND)
    order = []
    for _ in range(3):
        dispatch.queue_due(NOON)
        now_queued = Execution.objects.get(status=Status.QUEUED)
        order.append(now_queued)
        finish(now_queued)

    assert order == [first, urgent, older]


def test_nothing_is_freed_while_there_is_no_room() -> None:
    crowd(JobFactory.create(version__concurrency=1), 5)
    dispatch.queue_due(NOON)

    assert limits.unblock(NOON) == 0
    assert counts() == (1, 4)


def test_a_limit_that_is_lifted_holds_nobody_any_more() -> None:
    job = JobFactory.create(version__concurrency=1)
    crowd(job, 5)
    dispatch.queue_due(NOON)
    JobVersion.objects.filter(job=job).update(concurrency=None)

    dispatch.queue_due(NOON)

    assert counts() == (5, 0)


def test_a_rate_holds_in_every_window_of_its_length() -> None:
    job, fields = limited(rate=5, per_seconds=10)
    crowd(job, 60, **fields)
    for tick in range(240):
        now = NOON + tick * SECOND / 4
        dispatch.queue_due(now)
        if tick % 3 == 0:  # workers are sometimes late: what is queued may start at any moment
            start(now)

    starts = sorted(Attempt.objects.values_list("started_at", flat=True))
    assert len(starts) >= 25
    assert all(
        later - earlier >= 10 * SECOND for earlier, later in zip(starts, starts[5:], strict=False)
    )


def test_a_worker_that_slept_before_its_claim_counts_from_the_claim() -> None:
    job, own = limited(rate=1, per_seconds=20)
    now = clock.read()
    execution = ExecutionFactory.create(job=job, status=Status.QUEUED, due_at=now, **own)

    assert transitions.claim(execution.pk, worker="w", now=now - 40 * SECOND, lease=LEASE)

    cap = {f"rate:{own['limit_key']}": limits.Cap(1, 20)}
    assert limits.room(cap, clock.read() + SECOND) == dict.fromkeys(cap, 0)


def test_slots_that_may_overlap_by_now_wait_for_nobody() -> None:
    schedule = ScheduleFactory.create(overlap="queue_all")
    slots = [
        ExecutionFactory.create(
            job=schedule.job, schedule=schedule, scheduled_for=NOON + number * SECOND, due_at=NOON
        )
        for number in range(3)
    ]
    dispatch.queue_due(NOON)
    assert counts() == (1, 2)

    Schedule.objects.filter(pk=schedule.pk).update(overlap="allow")
    dispatch.queue_due(NOON)

    assert counts() == (len(slots), 0)


def test_a_beat_may_sleep_until_a_rate_has_room_again() -> None:
    job, fields = limited(rate=2, per_seconds=10)
    crowd(job, 5, **fields)
    assert limits.next_room(NOON) is None
    for second in (0, 3):
        dispatch.queue_due(NOON + second * SECOND)
        start(NOON + second * SECOND)

    assert limits.next_room(NOON + 3 * SECOND) == NOON + 10 * SECOND
    assert limits.next_room(NOON + 10 * SECOND) == NOON + 10 * SECOND + limits.MOMENT
    assert limits.next_room(NOON + 30 * SECOND) is None, "a beat would look twenty times a second"


@pytest.mark.parametrize("waits_on", ["job", "limit", "queue"])
def test_the_end_of_what_others_wait_for_rings_the_bell(
    waits_on: str, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    job, fields = limited(concurrency=1)
    if waits_on == "job":
        job, fields = JobFactory.create(version__concurrency=1), {}
    if waits_on == "queue":
        job, fields = JobFactory.create(), {}
        Queue.objects.filter(pk="default").update(concurrency=1)
    crowd(job, 2, **fields)
    dispatch.queue_due(NOON)

    with django_capture_on_commit_callbacks() as called:
        finish(Execution.objects.get(status=Status.QUEUED))
    assert called == [bell.ring]

    dispatch.queue_due(NOON)
    with django_capture_on_commit_callbacks() as called:
        finish(Execution.objects.get(status=Status.QUEUED))
    assert called == []


def test_a_retry_counts_against_the_rate_as_a_start_of_its_own() -> None:
    job, fields = limited(rate=2, per_seconds=10)
    one = ExecutionFactory.create(job=job, **fields)
    for at in (NOON, NOON + SECOND):
        dispatch.queue_due(at)
        claimed = transitions.claim(one.pk, worker="w", now=at, lease=LEASE)
        assert claimed is not None
        transitions.retry(claimed, now=at, report=Report(reason="no"), due_at=at)

    dispatch.queue_due(NOON + 9 * SECOND)
    one.refresh_from_db()
    assert one.blocked_on == f"rate:{fields['limit_key']}"

    dispatch.queue_due(NOON + 10 * SECOND)
    one.refresh_from_db()
    assert one.status == Status.QUEUED


@pytest.mark.parametrize("fields", [{"concurrency": 4}, {"rate": 4, "per_seconds": 60}])
@pytest.mark.django_db(transaction=True)
def test_three_beats_and_the_web_at_once_keep_to_the_limit(fields: dict[str, Any]) -> None:
    job, of_each = limited(**fields)
    QueueFactory.create(name="default")
    for queue in ["a", "b", "c"]:
        QueueFactory.create(name=queue)
        crowd(job, 20, queue=queue, **of_each)
    mine = [ExecutionFactory.create(job=job, queue="a", **of_each) for _ in range(5)]

    def road(index: int) -> None:
        for turn in range(5):
            if index < 3:
                dispatch.queue_due(NOON, limit=4)
            else:
                dispatch.queue_one(mine[turn], now=NOON)

    in_parallel(5, road)
    dispatch.queue_due(NOON)

    assert counts()[0] == 4


def test_while_another_decides_about_limits_the_others_go_on() -> None:
    crowd(JobFactory.create(version__concurrency=1), 2)
    free = ExecutionFactory.create()

    with other_connection_holds_the_lock():
        dispatch.queue_due(NOON)
        assert Execution.objects.get(status=Status.QUEUED) == free
        assert counts() == (1, 0)

    dispatch.queue_due(NOON)
    assert counts() == (2, 1)


@contextmanager
def other_connection_holds_the_lock() -> Iterator[None]:
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [limits.LOCK])
        yield
    finally:
        other.close()


def test_a_walk_over_many_marks_goes_on_where_it_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "_walked", "")
    for _ in range(5):
        crowd(JobFactory.create(version__concurrency=9), 1, blocked_on="")
    for execution in Execution.objects.all():
        blocked.block({execution.pk: f"job:{execution.job_id}"})

    assert [limits.unblock(NOON, limit=2) for _ in range(3)] == [2, 2, 1]
    assert counts() == (0, 0)


def test_what_is_blocked_is_found_by_its_index() -> None:
    jobs = [JobFactory.create(version__concurrency=1) for _ in range(5)]
    for job in jobs:
        crowd(job, 2000, blocked_on=f"job:{job.pk}")
    crowd(jobs[0], 5000, status=Status.SUCCEEDED)
    analyze()

    with CaptureQueriesContext(connection) as captured:
        assert limits.unblock(NOON) == 5

    plans = [plan(query["sql"]) for query in captured if "executions_execution" in query["sql"]]
    assert "Seq Scan on executions_execution" not in "\n".join(plans)
    assert "execution_blocked_idx" in plans[0]


def plan(sql: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {sql}")
        return "\n".join(row[0] for row in cursor.fetchall())


def test_every_mark_has_a_word_and_a_sentence() -> None:
    job, fields = limited(concurrency=2, rate=5, per_seconds=60, by="host")
    JobVersion.objects.filter(job=job).update(concurrency=3)
    key = f"{fields['limit_key']}:example.org"

    assert limits.describe("") == ("", "")
    assert limits.describe(f"job:{job.pk}") == (
        "job_concurrency",
        "Its job runs 3 at once at most.",
    )
    assert limits.describe(f"limit:{key}") == (
        "limit_concurrency",
        "The limit mail for host example.org lets 2 run at once.",
    )
    assert limits.describe(f"rate:{key}") == (
        "limit_rate",
        "The limit mail for host example.org lets 5 start in 60 s.",
    )
    assert limits.describe(f"overlap:{job.pk}")[0] == "overlap"

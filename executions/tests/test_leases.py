"""Leases: kept while their attempts work, given up in time, forced when nothing else helps."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from executions import clock, endings, leases, transitions
from executions.leases import GRACE_SECONDS, NOTICE_SECONDS, Held
from executions.logs import Output
from executions.models import Execution, Status
from executions.stops import Stop
from jobs.tests.contexts import a_context
from tests.factories import ExecutionFactory, JobFactory

pytestmark = pytest.mark.django_db


def claimed(**version: Any) -> Execution:
    job = JobFactory.create(**{f"version__{name}": value for name, value in version.items()})
    queued = ExecutionFactory.create(job=job, status=Status.QUEUED)
    execution = transitions.claim(queued.pk, worker="a", now=clock.now(), lease=leases.length())
    assert execution is not None
    return execution


def held(execution: Execution, *, left: float = 30.0) -> Held:
    """The lease of ``execution``, which ends in ``left`` seconds."""
    until = clock.ticks() + left
    return Held(execution.pk, execution.attempt, a_context(), Output(clock.now), until)


def fresh(execution: Execution) -> Execution:
    return Execution.objects.get(pk=execution.pk)


def test_a_worker_that_could_not_keep_its_lease_hands_back() -> None:
    execution = claimed()

    endings.give_back(execution, now=clock.now())

    again = fresh(execution)
    assert (again.status, again.failures, again.losses) == (Status.SCHEDULED, 0, 0)


def test_a_job_that_asks_after_a_freeze_is_told_at_once() -> None:
    kept, late = held(claimed(), left=leases.seconds()), held(claimed(), left=0)

    assert not kept.context.stop.is_set()
    assert late.context.stop.is_set()
    assert late.stop is Stop.LEASE


@pytest.mark.parametrize("stop", [Stop.LEASE, Stop.WORKER])
def test_what_must_not_start_twice_fails_when_it_is_given_back(stop: Stop) -> None:
    execution = claimed(on_lost="fail")

    endings.give_back(execution, now=clock.now(), stop=stop)

    reason = {Stop.LEASE: "lease_not_kept", Stop.WORKER: "worker_stopped"}[stop]
    assert (fresh(execution).status, fresh(execution).reason) == (Status.FAILED, reason)


def test_a_lease_begins_later_than_its_worker_thinks() -> None:
    before = clock.read()
    since = clock.ticks()
    execution = claimed()

    lease = held(execution, left=leases.seconds() / 2)
    leases.tend([lease])

    renewed = fresh(execution).lease_expires_at
    assert execution.lease_expires_at is not None
    assert renewed is not None
    assert execution.lease_expires_at > before + leases.length()
    in_ticks = since + (renewed - before).total_seconds()
    assert since + leases.seconds() < lease.until < in_ticks


def test_what_was_cancelled_is_given_up_and_the_rest_is_renewed() -> None:
    free, gone = held(claimed(), left=10), held(claimed(), left=10)
    transitions.cancel(Execution.objects.get(pk=gone.execution_id), now=clock.now(), actor="ann")

    leases.tend([free, gone])

    assert (free.stop, gone.stop) == (Stop.NO, Stop.GONE)
    assert free.until > clock.ticks() + 20


@pytest.mark.django_db(transaction=True)
def test_a_row_that_is_being_settled_is_renewed_later() -> None:
    execution, other = claimed(), claimed()
    locked, free = held(execution, left=10), held(other, left=10)
    locking, done = threading.Event(), threading.Event()
    thread = threading.Thread(target=_lock, args=[execution, locking, done])
    thread.start()
    locking.wait(5)

    began = clock.ticks()
    leases.tend([locked, free])
    took = clock.ticks() - began
    done.set()
    thread.join()
    leases.tend([locked])

    assert took < 1.5
    assert (locked.stop, free.stop) == (Stop.NO, Stop.NO)
    assert free.until > clock.ticks() + 20
    assert locked.until > clock.ticks() + 20


def _lock(execution: Execution, locking: threading.Event, done: threading.Event) -> None:
    try:
        with connection.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute(
                "SELECT 1 FROM executions_execution WHERE id = %s FOR UPDATE", [execution.pk]
            )
            locking.set()
            done.wait(10)
            cursor.execute("ROLLBACK")
    finally:
        connection.close()


def test_a_lease_that_cannot_be_renewed_is_given_up_before_its_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    late, early = held(claimed(), left=4), held(claimed(), left=18)
    monkeypatch.setattr(leases, "OURS", "SELECT 1/0")

    leases.tend([late, early])

    assert (late.stop, late.context.stop.is_set()) == (Stop.LEASE, True)
    assert early.stop == Stop.NO


@pytest.mark.parametrize(
    ("asked", "left", "forced"),
    [
        (None, 30.0, False),
        (0.0, 30.0, False),
        (GRACE_SECONDS + 0.1, 30.0, True),  # it was asked to stop, and does not
        (NOTICE_SECONDS + 0.1, 0.0, True),  # its lease is over
        (NOTICE_SECONDS - 0.1, -60.0, False),  # thawed this moment: it may stop by itself
    ],
)
def test_what_does_not_stop_is_forced(asked: float | None, left: float, forced: bool) -> None:
    lease = held(claimed(), left=left)
    now = clock.ticks()
    if asked is not None:
        lease.stop, lease.asked = Stop.LEASE, now - asked

    assert leases.overdue(lease, now) is forced


def test_what_runs_far_beyond_its_limit_is_forced() -> None:
    lease = held(claimed())
    lease.deadline = clock.ticks() - GRACE_SECONDS - 1

    assert leases.overdue(lease, clock.ticks())
    lease.finish()
    assert not leases.overdue(lease, clock.ticks())  # it only writes down how it ended


@pytest.mark.django_db(transaction=True)
def test_a_cancelled_execution_is_told_to_stop_within_a_second(settings: Any) -> None:
    settings.CHRONOS_LEASE_SECONDS = 30
    execution = claimed()
    context = a_context()

    with leases.hold(execution, context, Output(clock.now), since=clock.ticks()):
        assert not context.stop.wait(1.2)
        transitions.cancel(fresh(execution), now=clock.now(), actor="ann")
        assert context.stop.wait(1)


@pytest.mark.django_db(transaction=True)
def test_a_lease_is_renewed_many_times_over(settings: Any) -> None:
    settings.CHRONOS_LEASE_SECONDS = 3
    execution = claimed()
    context = a_context()

    with leases.hold(execution, context, Output(clock.now), since=clock.ticks()):
        assert not context.stop.wait(5)

    ends = fresh(execution).lease_expires_at
    assert ends is not None
    assert ends > clock.read() + timedelta(seconds=1)

"""Queues: a pause holds all that has not started, and its end lets it go at once."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from executions import bell, broker, dispatch, queues, transitions
from executions.broker import Lane
from executions.models import Execution, OutboxEvent, Queue, Status
from executions.reports import Report
from executions.tests.crowds import crowd
from jobs.policies import Priority
from tests.factories import NOON, ExecutionFactory, JobFactory, QueueFactory

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_django import DjangoCaptureOnCommitCallbacks

pytestmark = pytest.mark.django_db

LEASE = timedelta(seconds=30)
HOUR = timedelta(hours=1)
NORMAL = Lane("mail", "io", Priority.NORMAL)


@pytest.fixture
def mail(monkeypatch: pytest.MonkeyPatch) -> Iterator[Queue]:
    monkeypatch.setattr(broker, "_asked_again_at", 0.0)
    bell.client().flushdb()
    yield QueueFactory.create(name="mail")
    bell.client().flushdb()


def claim(execution: Execution) -> Execution | None:
    return transitions.claim(execution.pk, worker="w", now=NOON, lease=LEASE)


def test_nobody_claims_what_is_queued_in_a_paused_queue(mail: Queue) -> None:
    queued = ExecutionFactory.create(queue="mail", status=Status.QUEUED)
    queues.pause(mail, now=NOON, actor="ann", reason="provider is down")

    assert claim(queued) is None

    queues.resume(mail, now=NOON, actor="ann")
    assert claim(queued) is not None


def test_what_runs_goes_on(mail: Queue) -> None:
    running = claim(ExecutionFactory.create(queue="mail", status=Status.QUEUED))
    queues.pause(mail, now=NOON, actor="ann")

    assert running is not None
    transitions.succeed(running, now=NOON, report=Report())


def test_nobody_claims_what_is_too_late_to_start() -> None:
    late = ExecutionFactory.create(status=Status.QUEUED, start_by=NOON)
    in_time = ExecutionFactory.create(status=Status.QUEUED, start_by=NOON + HOUR)

    assert claim(late) is None
    assert claim(in_time) is not None


def test_the_end_of_a_pause_sends_again_what_workers_refused(
    mail: Queue, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    crowd(JobFactory.create(), 3, queue="mail")
    dispatch.queue_due(NOON)
    queues.pause(mail, now=NOON, actor="ann")
    bell.client().delete(NORMAL.key)  # workers take messages, and may not claim

    with django_capture_on_commit_callbacks(execute=True):
        queues.resume(mail, now=NOON, actor="ann")

    assert bell.client().llen(NORMAL.key) == 3


def test_a_pause_says_who_made_it_why_and_until_when(mail: Queue) -> None:
    queues.pause(mail, now=NOON, actor="ann", reason="moving", until=NOON + HOUR)

    mail.refresh_from_db()
    said = (mail.paused_at, mail.paused_by, mail.paused_reason, mail.paused_until)
    assert said == (NOON, "ann", "moving", NOON + HOUR)


def test_repeating_a_pause_changes_its_end_and_not_its_beginning(mail: Queue) -> None:
    queues.pause(mail, now=NOON, actor="ann", reason="moving")
    queues.pause(mail, now=NOON + HOUR, actor="bob", reason="moving")
    mail.refresh_from_db()
    assert (mail.paused_at, mail.paused_by) == (NOON, "ann")

    queues.pause(mail, now=NOON + HOUR, actor="bob", reason="moving", until=NOON + 2 * HOUR)
    mail.refresh_from_db()
    assert (mail.paused_at, mail.paused_by) == (NOON, "bob")
    assert mail.paused_until == NOON + 2 * HOUR


def test_a_pause_ends_by_itself(mail: Queue) -> None:
    queues.pause(mail, now=NOON, actor="ann", until=NOON + HOUR)

    assert queues.resume_due(NOON + HOUR - timedelta(microseconds=1)) == 0
    assert queues.resume_due(NOON + HOUR) == 1

    mail.refresh_from_db()
    assert (mail.paused_at, mail.paused_until, mail.paused_by) == (None, None, "")
    told = OutboxEvent.objects.filter(topic="queue.resumed").get()
    assert told.body["actor"] == queues.END_OF_PAUSE


def test_a_queue_is_made_once() -> None:
    made: dict[str, Any] = {"now": NOON, "actor": "ann"}
    queues.create("mail", **made, concurrency=3)

    with pytest.raises(queues.QueueTakenError):
        queues.create("mail", **made)

    assert Queue.objects.get(pk="mail").concurrency == 3

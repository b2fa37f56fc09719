"""What happened is told outside: with its transaction, at least once, whatever the broker does."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from pytest_django import DjangoAssertNumQueries, Settings

from executions import endings, outbox, queues, scheduler, stream, transitions
from executions.models import Execution, Origin, OutboxEvent, Status
from executions.stream import ChannelAwayError
from jobs import definitions
from jobs.kinds.base import Failed
from tests.factories import NOON, ExecutionFactory, JobFactory, QueueFactory, ScheduleFactory

pytestmark = pytest.mark.django_db

LEASE = timedelta(seconds=30)


@pytest.fixture(autouse=True)
def live() -> Iterator[None]:
    """An empty stream, and a broker that nobody has given up."""
    stream.client().delete(stream.key())
    yield
    stream.client().delete(stream.key())


class Memory:
    """A channel that keeps what it is given, takes no ``topic`` and can be away."""

    def __init__(self, topic: str = "", *, away: bool = False) -> None:
        self.kept: list[int] = []
        self.topic = topic
        self.away = away

    def send(self, events: Sequence[OutboxEvent]) -> dict[int, str]:
        if self.away:
            raise ChannelAwayError("away")
        self.kept += [event.pk for event in events if event.topic != self.topic]
        return {event.pk: "never" for event in events if event.topic == self.topic}


def told(number: int = 1, topic: str = "job.paused") -> list[OutboxEvent]:
    for n in range(number):
        outbox.tell(topic, team=None, subject=None, body={"n": n}, now=NOON)
    return list(OutboxEvent.objects.waiting())


def entries() -> list[dict[str, str]]:
    found: Any = stream.client().xrange(stream.key())
    return [{name.decode(): value.decode() for name, value in row.items()} for _, row in found]


def topics() -> list[str]:
    return list(OutboxEvent.objects.waiting().values_list("topic", flat=True))


def test_events_reach_the_stream_in_order_and_are_forgotten() -> None:
    job = JobFactory.create()
    outbox.tell("job.paused", team=job.team_id, subject=job.pk, body={"why": "é"}, now=NOON)
    (first,) = OutboxEvent.objects.all()
    told()

    assert outbox.deliver(NOON) == 2

    shown = entries()
    assert shown[0] == {
        "id": str(first.pk),
        "at": "2027-06-15T12:00:00+00:00",
        "topic": "job.paused",
        "team": str(job.team_id),
        "subject": str(job.pk),
        "body": json.dumps({"why": "é"}),
    }
    assert (shown[1]["team"], shown[1]["subject"]) == ("", "")
    assert not OutboxEvent.objects.exists()
    assert outbox.deliver(NOON) == 0


def test_a_pass_delivers_the_oldest_and_no_more_than_asked() -> None:
    ids = [event.pk for event in told(5)]

    assert outbox.deliver(NOON, 3) == 3

    assert [row["id"] for row in entries()] == [str(pk) for pk in ids[:3]]


def test_the_stream_does_not_grow_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "KEPT", 10)
    told(500)

    outbox.deliver(NOON)

    assert len(entries()) < 300


def test_what_is_rolled_back_is_not_told() -> None:
    with suppress(RuntimeError), transaction.atomic():
        told()
        raise RuntimeError

    assert topics() == []


def test_while_the_broker_is_away_everything_stays(settings: Settings) -> None:
    told(3)
    memory = Memory(away=True)

    assert outbox.deliver(NOON, channels=[memory]) == 0

    assert outbox.backlog() == (3, NOON, 0)
    memory.away = False
    assert outbox.deliver(NOON, channels=[memory]) == 3
    assert outbox.backlog() == (0, None, 0)


def test_a_redis_that_takes_nothing_is_away_and_no_event_is_to_blame() -> None:
    told(3)
    stream.client().set(stream.key(), "not a stream")

    assert outbox.deliver(NOON) == 0

    assert outbox.backlog() == (3, NOON, 0)
    stream.client().delete(stream.key())
    assert outbox.deliver(NOON) == 3


def test_an_event_that_no_channel_takes_is_set_aside_and_stops_nobody() -> None:
    (bad,) = told(topic="job.broken")
    told(2)
    memory = Memory("job.broken")

    assert outbox.deliver(NOON, channels=[memory]) == 3

    assert len(memory.kept) == 2
    bad.refresh_from_db()
    assert bad.fault == "never"
    assert outbox.backlog() == (0, None, 1)
    assert outbox.deliver(NOON, channels=[memory]) == 0


def test_delivery_costs_the_same_for_one_and_for_many(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    told(200)

    with django_assert_num_queries(5):
        outbox.deliver(NOON)


@pytest.mark.django_db(transaction=True)
def test_what_another_process_delivers_is_left_to_it() -> None:
    first, second = told(2)
    with transaction.atomic():
        list(OutboxEvent.objects.waiting().lock_free(1))
        other = _in_another_connection(lambda: outbox.deliver(NOON))

    assert other == 1
    assert [row["id"] for row in entries()] == [str(second.pk)]
    assert topics() == [first.topic]


def _in_another_connection(work: Any) -> Any:

    def do() -> Any:
        try:
            return work()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(do).result()


def test_every_end_of_an_attempt_is_told() -> None:
    execution = ExecutionFactory.create(status=Status.QUEUED, job__version__max_attempts=1)
    held = transitions.claim(execution.pk, worker="w", now=NOON, lease=LEASE)
    assert held is not None
    endings.record(held, Failed("timeout"), now=NOON)
    transitions.cancel(ExecutionFactory.create(), now=NOON, actor="ann")

    assert topics() == ["execution.failed", "execution.cancelled"]
    failed = OutboxEvent.objects.waiting()[0]
    assert (failed.subject, failed.team_id) == (execution.pk, execution.team_id)
    assert failed.body["reason"] == "timeout"


def test_a_start_is_not_told() -> None:
    execution = ExecutionFactory.create(status=Status.QUEUED)

    transitions.claim(execution.pk, worker="w", now=NOON, lease=LEASE)

    assert topics() == []


def test_skipped_slots_are_told() -> None:
    execution = ExecutionFactory.create()
    transitions.skip_all([execution], now=NOON, reason="overlap", detail={})
    ScheduleFactory.create(next_fire_at=NOON)
    scheduler.fire_due(NOON + timedelta(hours=1))

    found = OutboxEvent.objects.waiting()
    assert {event.topic for event in found} == {"execution.skipped"}
    assert [event.body["reason"] for event in found] == ["overlap", "misfire"]
    stretch = Execution.objects.get(status=Status.SKIPPED, origin=Origin.SCHEDULE)
    assert found[1].subject == stretch.pk
    assert found[1].body["slots"]["count"] == 60


def test_what_people_do_to_jobs_and_queues_is_told() -> None:
    job, queue = JobFactory.create(), QueueFactory.create(name="mail")

    definitions.pause(job, now=NOON, actor=None)
    definitions.pause(job, now=NOON, actor=None)
    definitions.resume(job, now=NOON, actor=None)
    definitions.archive(job, now=NOON, actor=None)
    definitions.restore(job, now=NOON, actor=None)
    queues.pause(queue, now=NOON, actor="ann", reason="too loud")
    queues.resume(queue, now=NOON, actor="ann")

    assert topics() == [
        *("job.paused", "job.resumed", "job.archived", "job.restored"),
        *("queue.paused", "queue.resumed"),
    ]
    paused = OutboxEvent.objects.get(topic="queue.paused")
    assert paused.body == {"queue": "mail", "actor": "ann", "reason": "too loud"}
    assert OutboxEvent.objects.get(topic="job.paused").body["slug"] == job.slug

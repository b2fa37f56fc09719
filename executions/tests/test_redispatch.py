"""Messages that were lost are sent again, and no others."""

from __future__ import annotations

import json
import math
from datetime import timedelta
from typing import Any

import pytest
import redis
from django.db import connection
from django.test.utils import CaptureQueriesContext

from executions import bell, broker, dispatch
from executions.broker import Lane
from executions.maintenance import redispatch
from executions.models import Execution, Queue, Status, Worker
from executions.tests.crowds import crowd
from jobs.policies import Priority
from tests.factories import NOON, ExecutionFactory, JobFactory, QueueFactory

pytestmark = pytest.mark.django_db

LATER = NOON + timedelta(seconds=11)
NORMAL = Lane("mail", "io", Priority.NORMAL)


@pytest.fixture(autouse=True)
def _empty_broker(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(broker, "_asked_again_at", 0.0)
    monkeypatch.setattr(broker, "_answered_at", -math.inf)
    QueueFactory.create(name="mail")
    bell.client().flushdb()
    yield
    bell.client().flushdb()


def length(lane: Lane = NORMAL) -> int:
    return int(bell.client().llen(lane.key))


def queue(number: int, **fields: Any) -> None:
    crowd(JobFactory.create(), number, queue="mail", **fields)
    dispatch.queue_due(NOON)


def claimed_message() -> str:
    """Take the oldest message away, as a worker does that dies before it claims."""
    taken: Any = bell.client().rpop(NORMAL.key)
    message = json.loads(taken)
    return str(message["headers"]["id"])[:36]


def test_a_message_says_when_it_counts_as_lost() -> None:
    queue(3)

    tail = broker.tails([NORMAL])[NORMAL]

    assert (tail.length, tail.publish_at) == (3, NOON + timedelta(seconds=10))


def test_what_still_stands_in_its_list_is_not_sent_again() -> None:
    queue(3)

    assert redispatch(LATER) == 0
    assert length() == 3


def test_after_a_flush_the_window_is_sent_again_at_once() -> None:
    queue(5)
    bell.client().flushdb()

    assert redispatch(LATER) == 5
    assert length() == 5
    assert redispatch(LATER) == 0


def test_a_message_older_than_the_oldest_in_the_list_is_lost() -> None:
    queue(2)
    lost = Execution.objects.get(pk=claimed_message())
    crowd(JobFactory.create(), 1, queue="mail")
    dispatch.queue_due(NOON + timedelta(seconds=1))
    claimed_message()  # the second of the first two

    assert redispatch(LATER) == 2

    lost.refresh_from_db()
    assert lost.publishes == 2


def test_who_ages_in_the_broker_gets_a_better_lane() -> None:
    queue(1)

    assert redispatch(NOON + timedelta(seconds=59)) == 0
    assert redispatch(NOON + timedelta(seconds=60)) == 1

    better = NORMAL._replace(lane=Priority.HIGH)
    assert (length(), length(better)) == (1, 1)
    assert Execution.objects.get().lane == Priority.HIGH
    assert redispatch(NOON + timedelta(seconds=61)) == 0


@pytest.mark.parametrize(
    "forged", [b"", b"no json", b"[]", b'{"headers": {"publish_at": 7}}', b'{"headers": null}']
)
def test_a_message_of_somebody_else_tells_nothing(forged: bytes) -> None:
    queue(1)
    bell.client().rpush(NORMAL.key, forged)

    assert redispatch(LATER) == 0


def test_a_list_that_nobody_empties_does_not_grow_without_end() -> None:
    queue(1)
    forged = b'{"headers": {"publish_at": "2999-01-01T00:00:00+00:00"}}'
    bell.client().rpush(NORMAL.key, *[forged] * 10_000)

    assert redispatch(LATER) == 0


def test_nothing_of_a_paused_queue_is_sent() -> None:
    queue(2)
    bell.client().flushdb()
    Queue.objects.filter(pk="mail").update(paused_at=NOON)

    assert redispatch(LATER) == 0


def test_a_broker_that_is_away_changes_nothing_and_what_it_missed_is_sent_when_it_is_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with monkeypatch.context() as away:
        away.setattr(bell, "_client", redis.Redis.from_url("redis://127.0.0.1:1/0"))
        queue(2)
        before = list(Execution.objects.values_list("publish_at", "publishes"))
        assert redispatch(LATER) == 0
        assert list(Execution.objects.values_list("publish_at", "publishes")) == before
    monkeypatch.setattr(broker, "_asked_again_at", 0.0)

    assert Execution.objects.filter(status=Status.QUEUED).count() == 2
    assert redispatch(NOON) == 2
    assert length() == 2


def test_many_that_are_sent_again_cost_no_more_statements_than_one() -> None:
    Worker.objects.create(
        name="w", pid=1, version="1", fleet="io", slots=2, started_at=LATER, heartbeat_at=LATER
    )
    costs = []
    for number in (1, 5):
        queue(number)
        bell.client().flushdb()
        with CaptureQueriesContext(connection) as statements:
            assert redispatch(LATER) == number
        costs.append(len(statements))
        Execution.objects.all().delete()

    assert costs[0] == costs[1]


def test_an_execution_that_was_never_published_is_found() -> None:
    ExecutionFactory.create(queue="mail", status=Status.QUEUED, publish_at=NOON, lane=2)

    assert redispatch(NOON) == 1
    assert length() == 1

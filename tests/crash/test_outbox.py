"""Who dies between delivering an event and forgetting it: delivered again, and never lost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection, transaction

from executions import clock, outbox, stream
from executions.models import OutboxEvent
from tests.stack import ROOT, database_url
from tests.waiting import eventually

pytestmark = [pytest.mark.crash, pytest.mark.django_db(transaction=True)]

EVENTS = 30
DELIVER = """
import django
django.setup()
from executions import clock, outbox
print("ready", flush=True)
outbox.deliver(clock.now())
"""


@pytest.fixture(autouse=True)
def live() -> Iterator[None]:
    stream.client().delete(stream.key())
    yield
    stream.client().delete(stream.key())


def delivered() -> list[int]:
    entries: Any = stream.client().xrange(stream.key())
    return [int(entry[b"id"]) for _, entry in entries]


def a_process_that_delivers() -> subprocess.Popen[bytes]:
    env = os.environ | {"DATABASE_URL": database_url()}
    return subprocess.Popen([sys.executable, "-c", DELIVER], cwd=ROOT, env=env)


def test_an_event_survives_the_death_of_who_delivers_it() -> None:
    for n in range(EVENTS):
        outbox.tell("job.paused", team=None, subject=None, body={"n": n}, now=clock.now())
    ids = list(OutboxEvent.objects.waiting().values_list("pk", flat=True))

    with transaction.atomic(), connection.cursor() as cursor:
        # Lets others read and lock rows, but not delete them: whoever delivers stops right there.
        cursor.execute("LOCK TABLE executions_outboxevent IN SHARE MODE")
        first = a_process_that_delivers()
        eventually(lambda: len(delivered()) == EVENTS, within=30)
        assert first.poll() is None
        os.kill(first.pid, signal.SIGKILL)
        first.wait()

    eventually(lambda: outbox.deliver(clock.now()) == EVENTS, within=30)
    assert Counter(delivered()) == dict.fromkeys(ids, 2)
    assert outbox.backlog().waiting == 0


def test_what_dies_before_it_delivers_repeats_nothing() -> None:
    outbox.tell("job.paused", team=None, subject=None, body={}, now=clock.now())
    (pk,) = OutboxEvent.objects.waiting().values_list("pk", flat=True)

    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("LOCK TABLE executions_outboxevent IN EXCLUSIVE MODE")
        first = a_process_that_delivers()
        eventually(_somebody_waits, within=30)
        os.kill(first.pid, signal.SIGKILL)
        first.wait()

    eventually(lambda: outbox.deliver(clock.now()) == 1, within=30)
    assert delivered() == [pk]


def _somebody_waits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return bool(cursor.fetchone()[0])

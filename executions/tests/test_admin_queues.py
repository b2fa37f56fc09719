"""Queues: how much waits, pause and resume."""

from __future__ import annotations

import pytest
from django.test import Client

from accounts.models import User
from executions import clock
from executions.models import Queue, Status
from tests import operators
from tests.factories import NOON, ExecutionFactory, QueueFactory
from tests.operators import act

pytestmark = pytest.mark.django_db

QUEUES = "/admin/executions/queue/"


@pytest.fixture
def boss(client: Client) -> User:
    return operators.boss(client)


def test_a_queue_is_paused_with_a_reason_and_resumed(client: Client, boss: User) -> None:
    queue = QueueFactory.create(name="mail")

    act(client, QUEUES, "pause", queue, reason="provider is down")
    queue.refresh_from_db()
    assert (queue.paused_at is None, queue.paused_reason) == (False, "provider is down")

    act(client, QUEUES, "resume", queue)
    queue.refresh_from_db()
    assert (queue.paused_at, queue.paused_reason) == (None, "")


def test_the_list_of_queues_says_how_much_waits(client: Client, boss: User) -> None:
    QueueFactory.create(name="mail")
    ExecutionFactory.create_batch(3, queue="mail", status=Status.QUEUED, due_at=clock.now())

    html = client.get(QUEUES, {"q": "mail"}).content.decode()

    assert '<td class="field-waiting' in html
    assert html.split('class="field-waiting', 1)[1].split("</td>")[0].endswith(">3")


def test_the_list_says_who_paused_a_queue_and_until_when(client: Client, boss: User) -> None:
    QueueFactory.create(
        name="mail", paused_at=NOON, paused_by="ann", paused_reason="moving", paused_until=NOON
    )

    html = client.get(QUEUES, {"q": "mail"}).content.decode()

    assert "moving, by ann, until 2027-06-15 12:00:00 UTC" in html


@pytest.mark.parametrize(("sent", "stored"), [("7", 7), ("", None), ("0", 3), ("-1", 3)])
def test_a_bound_is_at_least_one_or_none(
    client: Client, boss: User, sent: str, stored: int | None
) -> None:
    QueueFactory.create(name="mail", concurrency=3, window=3)

    client.post(f"{QUEUES}mail/change/", {"description": "", "concurrency": sent, "window": sent})

    queue = Queue.objects.get(pk="mail")
    assert (queue.concurrency, queue.window) == (stored, stored)


def test_a_queue_can_be_added_but_not_renamed(client: Client, boss: User) -> None:
    client.post(f"{QUEUES}add/", {"name": "mail", "description": ""})
    client.post(f"{QUEUES}mail/change/", {"name": "post", "description": "letters"})

    assert Queue.objects.get(name="mail").description == "letters"
    assert not Queue.objects.filter(name="post").exists()

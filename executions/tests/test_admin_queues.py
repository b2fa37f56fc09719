"""Queues: how much waits, pause and resume."""

from __future__ import annotations

import pytest
from django.test import Client

from accounts.models import User
from executions import clock
from executions.models import Queue, Status
from tests import operators
from tests.factories import ExecutionFactory, QueueFactory
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


def test_a_queue_can_be_added_but_not_renamed(client: Client, boss: User) -> None:
    client.post(f"{QUEUES}add/", {"name": "mail", "description": ""})
    client.post(f"{QUEUES}mail/change/", {"name": "post", "description": "letters"})

    assert Queue.objects.get(name="mail").description == "letters"
    assert not Queue.objects.filter(name="post").exists()

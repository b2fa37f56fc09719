"""Dead letters wait for an operator, who redrives or resolves them."""

from __future__ import annotations

import pytest
from django.test import Client

from accounts.models import User
from executions.models import Execution, Status
from tests import operators
from tests.factories import NOON, ExecutionFactory, JobFactory
from tests.operators import act, told

pytestmark = pytest.mark.django_db

DEAD = "/admin/executions/deadletter/"


@pytest.fixture
def boss(client: Client) -> User:
    return operators.boss(client)


def test_a_redriven_dead_letter_leaves_the_list(client: Client, boss: User) -> None:
    dead = ExecutionFactory.create(status=Status.FAILED)
    assert dead.job.name in client.get(DEAD).content.decode()

    response = act(client, DEAD, "redrive", dead, _page="1")

    assert response.headers["Location"] == DEAD
    assert dead.job.name not in client.get(DEAD).content.decode()


def test_an_empty_list_says_what_that_means(client: Client, boss: User) -> None:
    assert "Nothing failed that nobody has dealt with." in client.get(DEAD).content.decode()
    assert "Nothing matches." in client.get(DEAD, {"q": "import"}).content.decode()


def test_resolve_says_that_nothing_more_is_to_be_done(client: Client, boss: User) -> None:
    dead = ExecutionFactory.create(status=Status.FAILED)

    act(client, DEAD, "resolve", dead)

    dead.refresh_from_db()
    assert dead.resolved_at is not None
    assert Execution.objects.count() == 1


def test_a_dead_letter_of_a_paused_job_is_refused_with_the_reason(
    client: Client, boss: User
) -> None:
    dead = ExecutionFactory.create(status=Status.FAILED, job=JobFactory.create(paused_at=NOON))

    response = act(client, DEAD, "redrive", dead)

    assert "The job is paused; resume it first." in told(response)[0]

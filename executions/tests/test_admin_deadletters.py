"""Dead letters wait for an operator, who redrives or resolves them."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from accounts.roles import Role
from executions import clock, redrives
from executions.models import Execution, Redrive, Status
from tests import operators
from tests.factories import NOON, ExecutionFactory, JobFactory, RedriveFactory
from tests.operators import act, told

pytestmark = pytest.mark.django_db

DEAD = "/admin/executions/deadletter/"
CAUSE = "c" * 32


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


def press(client: Client, verb: str, row: Execution) -> str:
    """Press a button of the group of ``row``; return what one is told."""
    sent = {"verb": verb, "team": row.team_id, "fingerprint": row.fingerprint}
    return told(client.post(f"{DEAD}cause/", sent))[-1]


def test_causes_stand_above_the_list_and_lead_to_their_dead_letters(
    client: Client, boss: User
) -> None:
    ExecutionFactory.create_batch(
        3, status=Status.FAILED, fingerprint=CAUSE, reason="timeout", job=JobFactory.create()
    )
    other = ExecutionFactory.create(status=Status.FAILED, fingerprint="d" * 32)

    html = client.get(DEAD).content.decode()
    assert f'href="?fingerprint={CAUSE}">3</a>' in html
    assert "Redrive all" in html

    filtered = client.get(DEAD, {"fingerprint": CAUSE}).context["cl"]
    assert filtered.result_count == 3
    assert other not in filtered.result_list


@pytest.mark.parametrize("mode", ["all", "canary"])
def test_a_group_is_redriven_by_one_button_and_its_progress_is_told(
    client: Client, boss: User, mode: str
) -> None:
    job = JobFactory.create()
    known = {"status": Status.FAILED, "fingerprint": CAUSE, "job": job}
    row, _ = ExecutionFactory.create_batch(2, **known, finished_at=clock.now())

    assert press(client, mode, row) == "A redrive of 2 has begun."
    assert "is being redriven already" in press(client, mode, row)

    redrive = Redrive.objects.get()
    assert (redrive.mode, redrive.created_by) == (mode, str(boss))
    redrives.advance(clock.now())
    assert " of 2 started, 0 succeeded, 0 failed again" in client.get(DEAD).content.decode()


def test_a_running_redrive_is_stopped_by_a_button(client: Client, boss: User) -> None:
    row = ExecutionFactory.create(status=Status.FAILED, fingerprint=CAUSE)
    press(client, "all", row)

    assert press(client, "stop", row) == "Stopped; what was started goes on."

    assert press(client, "stop", row) == "It has ended already."
    assert Redrive.objects.get().state == Redrive.State.STOPPED


def test_a_group_is_resolved_by_one_button(client: Client, boss: User) -> None:
    row = ExecutionFactory.create(status=Status.FAILED, fingerprint=CAUSE)

    assert press(client, "resolve", row) == "1 resolved."

    assert not Execution.objects.dead().exists()


@pytest.mark.parametrize("verb", ["all", "canary", "resolve", "stop"])
def test_a_role_that_may_not_operate_presses_in_vain(client: Client, verb: str) -> None:
    membership = operators.staff(client, Role.VIEWER, "view_deadletter", "change_deadletter")
    job = JobFactory.create(team=membership.team)
    mine = ExecutionFactory.create(status=Status.FAILED, fingerprint=CAUSE, job=job)
    foreign = ExecutionFactory.create(status=Status.FAILED, fingerprint=CAUSE)

    for row in (mine, foreign):
        assert press(client, verb, row) == "Your role in this team does not allow it."

    assert not Redrive.objects.exists()
    assert Execution.objects.dead().count() == 2
    assert client.get(f"{DEAD}cause/").status_code == 405


def test_the_page_costs_the_same_for_one_cause_and_for_many(
    client: Client, boss: User, django_assert_max_num_queries: Any
) -> None:
    for n in range(30):
        row = ExecutionFactory.create(status=Status.FAILED, fingerprint=f"{n:032x}")
        RedriveFactory.create(team=row.team)

    with django_assert_max_num_queries(16):
        client.get(DEAD)

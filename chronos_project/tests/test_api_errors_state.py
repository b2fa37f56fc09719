"""Which answer a request gets that does not fit the state of things, or of the database."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.shortcuts import get_object_or_404
from rest_framework import exceptions as drf

from accounts.models import Membership
from chronos_project.tests.raising import answer_of, body_of
from executions import deadletters, transitions
from executions.models import Status
from jobs import definitions
from tests.factories import NOON, ExecutionFactory, JobFactory, MembershipFactory

pytestmark = pytest.mark.django_db

# --- State ------------------------------------------------------------------------------------


def test_an_unknown_object_and_a_foreign_one_look_alike() -> None:
    missing = body_of(lambda: get_object_or_404(Membership, pk=1))

    assert missing == body_of(drf.NotFound("Membership 1 of team x"))
    assert "ember" not in str(missing)


def test_a_verb_that_came_too_late_learns_where_the_execution_is() -> None:
    held = ExecutionFactory.create()
    transitions.cancel(type(held).objects.get(pk=held.pk), now=NOON, actor="a")

    body = body_of(lambda: transitions.cancel(held, now=NOON, actor="b"))

    assert (body["status"], body["code"]) == (409, "execution_moved")
    assert body["current_status"] == "cancelled"
    assert body["allowed_actions"] == ["retry"]


def test_an_arrow_that_does_not_exist_is_a_409() -> None:
    done = ExecutionFactory.create(status=Status.SUCCEEDED)

    body = body_of(lambda: transitions.cancel(done, now=NOON, actor="a"))

    assert (body["status"], body["code"]) == (409, "execution_state")
    assert (body["current_status"], body["allowed_actions"]) == ("succeeded", [])


def test_what_is_no_dead_letter_is_a_409() -> None:
    waiting = ExecutionFactory.create()

    body = body_of(lambda: deadletters.resolve(waiting, now=NOON, actor="a"))

    assert (body["status"], body["code"]) == (409, "not_dead")
    assert body["allowed_actions"] == ["cancel"]


def test_a_paused_job_says_what_may_be_done() -> None:
    job = JobFactory.create(paused_at=NOON)

    body = body_of(lambda: definitions.check_startable(job))

    assert (body["status"], body["code"]) == (409, "job_paused")
    assert body["current_status"] == "paused"
    assert "resume" in body["allowed_actions"]


# --- The database -----------------------------------------------------------------------------


def test_of_two_that_make_the_same_thing_one_gets_a_409() -> None:
    first = MembershipFactory.create()

    def again() -> None:
        with transaction.atomic():
            MembershipFactory.create(user=first.user, team=first.team)

    body = body_of(again)

    assert (body["status"], body["code"]) == (409, "conflict")
    assert "one_membership" not in str(body)


def test_a_broken_promise_of_our_own_is_no_fault_of_the_caller() -> None:
    def break_it() -> None:
        with transaction.atomic():
            MembershipFactory.create(role="king")

    with pytest.raises(IntegrityError):
        answer_of(break_it)


@pytest.mark.parametrize("name", ["x" * 151, "a\x00b"])
def test_a_value_that_cannot_be_stored_is_a_400(name: str) -> None:
    def store() -> None:
        with transaction.atomic():
            MembershipFactory.create(team__name=name)

    assert body_of(store)["code"] == "unstorable"


def test_a_database_that_does_not_answer_in_time_is_a_503() -> None:
    def wait() -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL statement_timeout = 1")
            cursor.execute("SELECT pg_sleep(10)")

    answer = answer_of(wait)

    assert answer.status_code == 503
    assert answer["Retry-After"] == "5"
    assert answer.data["component"] == "database"
    assert "pg_sleep" not in answer.content.decode()


def test_a_mistake_in_our_sql_is_our_fault() -> None:
    def mistake() -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT nothing FROM nowhere")

    with pytest.raises(DatabaseError):
        answer_of(mistake)

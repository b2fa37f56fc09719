"""The list of executions: who sees what, search, filters, cancel, run again."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from accounts.roles import Role
from executions.admin import searching
from executions.models import Execution, ExecutionEvent, Status
from tests import operators
from tests.factories import ExecutionFactory, JobFactory
from tests.operators import act, told

pytestmark = pytest.mark.django_db

LIST = "/admin/executions/execution/"


@pytest.fixture
def boss(client: Client) -> User:
    return operators.boss(client)


def page(execution: Execution) -> str:
    return reverse("admin:executions_execution_change", args=[execution.pk])


def test_cancel_ends_what_is_unfinished_and_says_what_could_not_be_cancelled(
    client: Client, boss: User
) -> None:
    waiting = ExecutionFactory.create(status=Status.QUEUED)
    over = ExecutionFactory.create(status=Status.SUCCEEDED)

    response = act(client, LIST, "cancel", waiting, over)

    waiting.refresh_from_db()
    assert waiting.status == Status.CANCELLED
    assert ExecutionEvent.objects.get(execution=waiting).actor == boss.email
    assert told(response) == [
        "1 cancelled.",
        f"execution {over.pk}: succeeded -> cancelled",
    ]


def test_run_again_makes_a_new_execution_of_a_failed_one(client: Client, boss: User) -> None:
    failed = ExecutionFactory.create(status=Status.FAILED)

    act(client, LIST, "run_again", failed)

    again = Execution.objects.exclude(pk=failed.pk).get()
    assert (again.job, again.origin) == (failed.job, "redrive")


def test_a_button_on_the_page_leads_back_to_the_page(client: Client, boss: User) -> None:
    execution = ExecutionFactory.create()

    response = act(client, LIST, "cancel", execution, _page="1")

    assert response.headers["Location"] == page(execution)


def test_search_finds_an_execution_by_its_id_or_that_of_an_attempt(
    client: Client, boss: User
) -> None:
    wanted, other = ExecutionFactory.create(), ExecutionFactory.create()

    for term in (str(wanted.pk), f" {wanted.pk}-3 "):
        html = client.get(LIST, {"q": term}).content.decode()
        assert wanted.job.name in html
        assert other.job.name not in html


def test_search_finds_executions_by_a_part_of_the_jobs_name(client: Client, boss: User) -> None:
    ExecutionFactory.create(job=JobFactory.create(name="Nightly import"))
    ExecutionFactory.create(job=JobFactory.create(name="Heartbeat"))

    html = client.get(LIST, {"q": "IMPORT"}).content.decode()

    assert "Nightly import" in html
    assert "Heartbeat" not in html


@pytest.mark.parametrize(
    ("query", "shown"),
    [("status__exact=failed", "Bad"), ("reason=timeout", "Slow"), ("kind=http", "Call")],
)
def test_filters_narrow_the_list(client: Client, boss: User, query: str, shown: str) -> None:
    ExecutionFactory.create(job=JobFactory.create(name="Bad"), status=Status.FAILED)
    ExecutionFactory.create(job=JobFactory.create(name="Slow"), reason="timeout")
    ExecutionFactory.create(job=JobFactory.create(name="Call"), kind="http")

    html = client.get(f"{LIST}?{query}").content.decode()

    assert {name for name in ("Bad", "Slow", "Call") if f">{name}<" in html} == {shown}


def test_an_action_takes_only_the_rows_that_were_ticked(client: Client, boss: User) -> None:
    ticked, other = ExecutionFactory.create(), ExecutionFactory.create()

    act(client, LIST, "cancel", ticked, select_across="1")

    other.refresh_from_db()
    assert other.status == Status.SCHEDULED


def test_an_id_that_is_none_is_no_error(client: Client, boss: User) -> None:
    sent = {"action": "cancel", "_selected_action": "nonsense", "index": "0", "_page": "1"}

    assert client.post(LIST, sent).status_code == 302


def test_a_get_changes_nothing(client: Client, boss: User) -> None:
    execution = ExecutionFactory.create()

    client.get(LIST, {"action": "cancel", "_selected_action": str(execution.pk), "index": "0"})

    execution.refresh_from_db()
    assert execution.status == Status.SCHEDULED


def test_an_action_without_the_proof_of_origin_is_refused(boss: User) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(boss)
    execution = ExecutionFactory.create()

    assert act(strict, LIST, "cancel", execution).status_code == 403


def test_executions_are_not_edited_added_or_deleted(client: Client, boss: User) -> None:
    execution = ExecutionFactory.create()

    assert client.get(f"{LIST}add/").status_code == 403
    assert client.post(page(execution), {"status": "succeeded"}).status_code == 403
    assert client.post(page(execution).replace("change", "delete")).status_code == 403


def test_staff_see_the_executions_of_their_teams_only(client: Client) -> None:
    membership = operators.staff(client, Role.VIEWER, "view_execution")
    ours = ExecutionFactory.create(job=JobFactory.create(team=membership.team, name="Ours"))
    theirs = ExecutionFactory.create(job=JobFactory.create(name="Theirs"))

    html = client.get(LIST).content.decode()

    assert ("Ours" in html, "Theirs" in html) == (True, False)
    assert client.get(page(ours)).status_code == 200
    assert client.get(page(theirs)).status_code == 302  # "doesn't exist"


@pytest.mark.parametrize(
    ("role", "status"), [(Role.VIEWER, "scheduled"), (Role.OPERATOR, "cancelled")]
)
def test_an_action_needs_the_role_in_the_team_of_the_row(
    client: Client, role: Role, status: str
) -> None:
    membership = operators.staff(client, role, "view_execution", "change_execution")
    execution = ExecutionFactory.create(job=JobFactory.create(team=membership.team))

    act(client, LIST, "cancel", execution)

    execution.refresh_from_db()
    assert execution.status == status


def test_an_action_needs_the_permission_for_the_model(client: Client) -> None:
    membership = operators.staff(client, Role.ADMIN, "view_execution")
    execution = ExecutionFactory.create(job=JobFactory.create(team=membership.team))

    act(client, LIST, "cancel", execution)

    execution.refresh_from_db()
    assert execution.status == Status.SCHEDULED


def test_filters_search_the_newest_rows_and_say_so(
    client: Client, boss: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searching, "SEARCHED", 2)
    job = JobFactory.create(name="Slow")
    for reason in ("timeout", "", ""):
        ExecutionFactory.create(job=job, status=Status.FAILED, reason=reason)

    by_reason = client.get(f"{LIST}?reason=timeout")

    assert told(by_reason) == ["The newest 2 rows were searched."]
    assert b">Slow<" not in by_reason.content
    html = client.get(f"{LIST}?status__exact=failed").content.decode()
    assert html.count(">Slow<") == 3


def test_a_job_is_found_by_name_however_long_ago_it_ran(
    client: Client, boss: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searching, "SEARCHED", 2)
    monkeypatch.setattr(searching, "OF_A_JOB", 2)
    for name, times in (("Yearly", 3), ("Busy", 5)):
        job = JobFactory.create(name=name)
        for _ in range(times):
            ExecutionFactory.create(job=job)

    html = client.get(LIST, {"q": "year"}).content.decode()

    assert html.count(">Yearly<") == 2

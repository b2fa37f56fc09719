"""The admin's pages of limits: who writes them, what they refuse, when one may go."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from accounts.models import Team, User
from accounts.roles import Role
from jobs.models import Limit
from tests import operators
from tests.factories import JobFactory, TeamFactory
from tests.operators import act, told

pytestmark = pytest.mark.django_db

LIST = "/admin/jobs/limit/"
FIELDS = {"name": "partner-api", "by": "", "concurrency": "3", "rate": "", "per_seconds": ""}


@pytest.fixture
def boss(client: Client) -> User:
    return operators.boss(client)


def page(limit: Limit) -> str:
    return f"{LIST}{limit.pk}/change/"


def add(client: Client, team: Team, **changes: str) -> Any:
    return client.post(f"{LIST}add/", FIELDS | {"team": str(team.pk)} | changes)


def faults(response: Any) -> list[str]:
    return [*response.context["adminform"].form.errors]


def test_a_limit_is_made_changed_and_listed(client: Client, boss: User) -> None:
    team = boss.teams.get()
    add(client, team, rate="10", per_seconds="60", by="customer")
    limit = Limit.objects.get()
    assert (limit.team, limit.by, limit.concurrency, limit.rate) == (team, "customer", 3, 10)
    JobFactory.create(team=team, version__limit=limit)

    client.post(page(limit), FIELDS | {"concurrency": "5"})

    limit.refresh_from_db()
    assert (limit.concurrency, limit.rate, limit.by) == (5, None, "")
    row = client.get(LIST).context["cl"].result_list.get()
    assert (row.name, row.jobs) == ("partner-api", 1)
    assert client.get(page(limit)).context["adminform"].form["concurrency"].value() == 5


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"concurrency": ""}, "concurrency"),
        ({"concurrency": "0"}, "concurrency"),
        ({"rate": "5"}, "per_seconds"),
        ({"per_seconds": "5"}, "rate"),
        ({"rate": "5", "per_seconds": "0"}, "per_seconds"),
        ({"name": "Partner API"}, "name"),
        ({"name": ""}, "name"),
    ],
)
def test_a_limit_without_sense_is_refused_at_its_field(
    client: Client, boss: User, changes: dict[str, str], field: str
) -> None:
    assert faults(add(client, boss.teams.get(), **changes)) == [field]
    assert not Limit.objects.exists()


def test_a_name_that_is_taken_is_told(client: Client, boss: User) -> None:
    team = boss.teams.get()
    add(client, team)

    response = add(client, team)

    assert told(response)[-1:] == ["There is a limit partner-api already."]
    assert Limit.objects.count() == 1


def test_a_limit_goes_when_no_job_names_it(client: Client, boss: User) -> None:
    used = Limit.objects.create(team=boss.teams.get(), name="used", concurrency=1)
    free = Limit.objects.create(team=boss.teams.get(), name="free", concurrency=1)
    JobFactory.create(team=used.team, version__limit=used)

    response = act(client, LIST, "archive", used, free)

    assert "1 deleted." in told(response)
    assert any("name this limit" in text for text in told(response))
    assert [*Limit.objects.kept()] == [used]
    assert client.get(page(free)).status_code == 302, "it is not there any more"


def test_staff_write_limits_only_where_their_role_allows_it(client: Client) -> None:
    rights = ("view_limit", "add_limit", "change_limit", "view_team")
    team = operators.staff(client, Role.OPERATOR, *rights).team
    limit = Limit.objects.create(team=team, name="mine", concurrency=1)
    foreign = Limit.objects.create(team=TeamFactory.create(), name="theirs", concurrency=1)

    assert faults(add(client, team)) == ["team"]
    assert client.post(page(limit), FIELDS).status_code == 403
    assert client.get(page(limit)).status_code == 200
    assert client.get(page(foreign)).status_code == 302
    act(client, LIST, "archive", limit)
    assert Limit.objects.kept().filter(pk=limit.pk).exists()

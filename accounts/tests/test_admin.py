"""The admin's pages of people."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from accounts.models import Membership, Team, User
from accounts.roles import Role
from tests import operators
from tests.factories import PASSWORD, TeamFactory, UserFactory

pytestmark = pytest.mark.django_db

USERS = "/admin/accounts/user/"
GOOD = "a-long-and-rare-one"


@pytest.fixture
def boss(client: Client) -> User:
    return operators.boss(client)


@pytest.fixture
def helper(client: Client) -> User:
    """Staff with every permission there is, and no superuser."""
    user = UserFactory.create(is_staff=True)
    user.user_permissions.set(Permission.objects.all())
    client.force_login(user)
    return user


def test_people_sign_in_with_their_e_mail_address(client: Client) -> None:
    user = UserFactory.create(is_staff=True)

    client.post("/admin/login/", {"username": user.email.upper(), "password": PASSWORD})

    assert client.session["_auth_user_id"] == str(user.pk)


def test_a_new_user_gets_a_personal_team(client: Client, boss: User) -> None:
    sent = {"email": "Ada@Example.org", "name": "Ada", "password1": GOOD, "password2": GOOD}

    client.post(f"{USERS}add/", sent)

    ada = User.objects.get(email="ada@example.org")
    assert (ada.check_password(GOOD), ada.is_staff) == (True, False)
    assert Membership.objects.get(user=ada, team__personal_of=ada).role == Role.ADMIN


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"email": "USER@example.org"}, "email"),
        ({"email": "nobody"}, "email"),
        ({"password1": "password", "password2": "password"}, "password2"),
        ({"password1": "", "password2": ""}, "password1"),
    ],
)
def test_a_fault_is_shown_at_its_field(
    client: Client, boss: User, changes: dict[str, str], field: str
) -> None:
    UserFactory.create(email="user@example.org")
    sent = {"email": "ada@example.org", "name": "", "password1": GOOD, "password2": GOOD}

    response = client.post(f"{USERS}add/", sent | changes)

    assert field in response.context["adminform"].form.errors
    assert User.objects.count() == 2


def test_a_password_can_be_set_for_somebody(client: Client, boss: User) -> None:
    ada = UserFactory.create()

    sent = {"password1": GOOD, "password2": GOOD, "usable_password": "true"}
    client.post(f"{USERS}{ada.pk}/password/", sent)

    ada.refresh_from_db()
    assert ada.check_password(GOOD)


def test_the_page_of_a_user_shows_no_password(client: Client, boss: User) -> None:
    html = client.get(f"{USERS}{boss.pk}/change/").content.decode()

    assert boss.password not in html
    assert "../password/" in html


@pytest.mark.parametrize("what", ["user", "team", "membership"])
def test_only_superusers_change_people(client: Client, helper: User, what: str) -> None:
    row = {
        "user": helper,
        "team": helper.teams.get(),
        "membership": Membership.objects.get(user=helper),
    }[what]
    address = f"/admin/accounts/{what}/"

    assert client.get(address).status_code == 200
    assert client.get(f"{address}add/").status_code == 403
    assert client.post(f"{address}{row.pk}/change/", {"is_superuser": "on"}).status_code == 403
    assert client.post(f"{address}{row.pk}/delete/", {"post": "yes"}).status_code == 403


def test_only_superusers_change_groups(client: Client, helper: User) -> None:
    assert client.get("/admin/auth/group/").status_code == 200
    assert client.get("/admin/auth/group/add/").status_code == 403


def test_only_superusers_set_passwords(client: Client, helper: User, boss: User) -> None:
    client.force_login(helper)

    sent = {"password1": GOOD, "password2": GOOD, "usable_password": "true"}
    response = client.post(f"{USERS}{boss.pk}/password/", sent)

    assert response.status_code == 403


def test_staff_see_their_own_teams_only(client: Client, helper: User) -> None:
    TeamFactory.create(name="Strangers")

    html = client.get("/admin/accounts/team/").content.decode()

    assert (helper.email in html, "Strangers" in html) == (True, False)
    found = client.get(
        "/admin/autocomplete/?app_label=jobs&model_name=job&field_name=team&term="
    ).json()["results"]
    assert [row["text"] for row in found] == [helper.email]


def test_a_member_is_added_to_a_team(client: Client, boss: User) -> None:
    team, ada = TeamFactory.create(), UserFactory.create()

    sent = {"team": str(team.pk), "user": str(ada.pk), "role": "viewer"}
    client.post("/admin/accounts/membership/add/", sent)

    assert Team.objects.get(members=ada, personal_of=None) == team

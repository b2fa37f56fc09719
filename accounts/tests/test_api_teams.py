"""Teams: who founds, joins, changes and leaves them, and in which one a request acts."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from rest_framework.test import APIClient

from accounts import teams
from accounts.models import Invitation, Membership, Team, User
from accounts.roles import Role
from accounts.tests.calls import codes
from lib.ids import new_id
from tests.factories import MembershipFactory, TeamFactory, UserFactory

pytestmark = pytest.mark.django_db

API = "/api/v1"


@pytest.fixture
def boss() -> Membership:
    """The admin of a team that is not personal."""
    made: Membership = MembershipFactory.create(role=Role.ADMIN)
    return made


def client(user: User, team: Team | None = None) -> APIClient:
    caller = APIClient(headers={"X-Chronos-Team": str(team.pk)} if team else {})
    caller.force_authenticate(user)
    return caller


def path(own: Membership, rest: str = "") -> str:
    return f"{API}/teams/{own.team_id}{rest}"


# --- In which team a request acts -------------------------------------------------------------


def test_a_request_acts_in_the_team_that_it_names(boss: Membership) -> None:
    there, here = client(boss.user, boss.team), client(boss.user)

    there.post(f"{API}/jobs", {"name": "a", "kind": "noop"})

    assert there.get(f"{API}/jobs").json()["count"] == 1
    assert here.get(f"{API}/jobs").json()["count"] == 0


@pytest.mark.parametrize("team", ["foreign", "unknown"])
def test_a_team_that_one_does_not_belong_to_is_not_there(boss: Membership, team: str) -> None:
    named = TeamFactory.create() if team == "foreign" else Team(id=new_id())

    answers = [
        client(boss.user, named).get(f"{API}/jobs"),
        client(boss.user).get(f"{API}/teams/{named.pk}"),
        client(boss.user).get(f"{API}/teams/{named.pk}/members"),
    ]

    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.json()["detail"] for answer in answers}) == 1


def test_a_name_that_is_no_id_is_a_fault_of_the_header(boss: Membership) -> None:
    caller = APIClient(headers={"X-Chronos-Team": "mine"})
    caller.force_authenticate(boss.user)

    answer = caller.get(f"{API}/jobs")

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["header"] == "X-Chronos-Team"


def test_the_role_in_the_named_team_decides() -> None:
    own = MembershipFactory.create(role=Role.VIEWER)

    refused = client(own.user, own.team).post(f"{API}/jobs", {"name": "a"})
    done = client(own.user).post(f"{API}/jobs", {"name": "a"})

    assert (refused.status_code, refused.json()["code"]) == (403, "role_too_low")
    assert done.status_code == 201


# --- Teams ------------------------------------------------------------------------------------


def test_who_founds_a_team_is_its_admin() -> None:
    ann = client(UserFactory.create())

    made = ann.post(f"{API}/teams", {"name": "Billing"})

    assert made.status_code == 201
    assert (made.json()["role"], made.json()["personal"]) == ("admin", False)
    listed = ann.get(f"{API}/teams").json()["results"]
    assert {team["personal"] for team in listed} == {True, False}
    assert ann.get(f"{API}/teams/{made.json()['id']}").json() == made.json()


def test_a_team_is_renamed_by_its_admins_only(boss: Membership) -> None:
    editor = MembershipFactory.create(team=boss.team, role=Role.EDITOR)

    assert client(boss.user).patch(path(boss), {"name": "New"}).json()["name"] == "New"
    assert client(editor.user).patch(path(boss), {"name": "Mine"}).status_code == 403
    assert client(boss.user).patch(path(boss), {"role": "viewer"}).status_code == 400
    assert Team.objects.get(pk=boss.team_id).name == "New"


def test_a_team_goes_when_it_owns_nothing(boss: Membership) -> None:
    ann = client(boss.user, boss.team)
    ann.post(f"{API}/jobs", {"name": "a", "kind": "noop"})

    kept = ann.delete(path(boss))
    personal = ann.delete(f"{API}/teams/{boss.user.personal_team.pk}")
    other = MembershipFactory.create(role=Role.ADMIN)

    assert (kept.status_code, kept.json()["code"]) == (409, "team_in_use")
    assert (personal.status_code, personal.json()["code"]) == (409, "team_personal")
    assert client(other.user).delete(path(other)).status_code == 204
    assert not Team.objects.filter(pk=other.team_id).exists()


# --- Members ----------------------------------------------------------------------------------


def test_members_see_each_other_and_admins_change_roles(boss: Membership) -> None:
    ann = MembershipFactory.create(team=boss.team, role=Role.VIEWER)
    where = path(boss, f"/members/{ann.user_id}")

    seen = client(ann.user).get(path(boss, "/members")).json()["results"]
    refused = client(ann.user).patch(where, {"role": "admin"})
    done = client(boss.user).patch(where, {"role": "editor"})

    assert {one["email"] for one in seen} == {boss.user.email, ann.user.email}
    assert refused.status_code == 403
    assert done.json()["role"] == "editor"
    assert Membership.objects.get(pk=ann.pk).role == Role.EDITOR


def test_a_team_keeps_an_admin(boss: Membership) -> None:
    MembershipFactory.create(team=boss.team, role=Role.EDITOR)
    ann, where = client(boss.user), path(boss, f"/members/{boss.user_id}")

    for answer in (ann.patch(where, {"role": "viewer"}), ann.delete(where)):
        assert (answer.status_code, answer.json()["code"]) == (409, "last_admin")
    assert ann.patch(where, {"role": "admin"}).status_code == 200
    assert Membership.objects.get(pk=boss.pk).role == Role.ADMIN


@pytest.mark.django_db(transaction=True)
def test_of_two_admins_who_leave_at_once_one_stays() -> None:
    team = TeamFactory.create()
    both = [MembershipFactory.create(team=team, role=Role.ADMIN) for _ in range(2)]

    def leave(own: Membership) -> bool:
        try:
            teams.remove(own, actor=own.user, now=timezone.now())
        except teams.LastAdminError:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(leave, both)) == [False, True]
    assert Membership.objects.filter(team=team, role=Role.ADMIN).count() == 1


def test_nobody_leaves_their_personal_team() -> None:
    user = UserFactory.create()

    answer = client(user).delete(f"{API}/teams/{user.personal_team.pk}/members/{user.pk}")

    assert (answer.status_code, answer.json()["code"]) == (409, "team_personal")


def test_who_is_removed_is_out_at_once(boss: Membership) -> None:
    ann = MembershipFactory.create(team=boss.team, role=Role.EDITOR)

    assert client(boss.user).delete(path(boss, f"/members/{ann.user_id}")).status_code == 204

    assert client(ann.user, boss.team).get(f"{API}/jobs").status_code == 404


def test_a_service_account_is_no_admin_and_goes_as_a_whole(boss: Membership) -> None:
    ann = client(boss.user)
    body = {"name": "deploy", "role": "admin"}
    refused = ann.post(path(boss, "/service-accounts"), body)
    bot = ann.post(path(boss, "/service-accounts"), body | {"role": "viewer"}).json()
    where = path(boss, f"/members/{bot['id']}")

    promoted = ann.patch(where, {"role": "admin"})

    assert (refused.status_code, codes(refused)) == (400, {"/role": "invalid_choice"})
    assert (promoted.status_code, promoted.json()["code"]) == (409, "service_not_admin")
    assert (bot["email"], bot["service_account"]) == (None, True)
    assert ann.delete(where).status_code == 204
    assert not User.objects.filter(pk=bot["id"]).exists()


# --- Invitations ------------------------------------------------------------------------------


def invited(boss: Membership, email: str, role: str = "editor") -> Any:
    return client(boss.user).post(path(boss, "/invitations"), {"email": email, "role": role})


def test_an_invitation_makes_a_member_once(boss: Membership) -> None:
    ann = UserFactory.create()
    made = invited(boss, ann.email.upper())

    assert (made.status_code, made["Cache-Control"]) == (201, "no-store")
    body = {"token": made.json()["token"]}
    first = client(ann).post(f"{API}/invitations/accept", body)
    again = client(ann).post(f"{API}/invitations/accept", body)

    assert (first.status_code, first.json()["role"]) == (200, "editor")
    assert (again.status_code, codes(again)) == (400, {"/token": "invitation_invalid"})
    assert Membership.objects.get(team=boss.team, user=ann).role == Role.EDITOR


@pytest.mark.parametrize("spoil", ["stranger", "withdrawn", "over", "unknown", "replaced"])
def test_an_invitation_that_is_not_good_says_no_more(boss: Membership, spoil: str) -> None:
    ann = UserFactory.create()
    made = invited(boss, ann.email).json()
    token = made["token"]
    match spoil:
        case "stranger":
            ann = UserFactory.create()
        case "withdrawn":
            done = client(boss.user).delete(path(boss, f"/invitations/{made['id']}"))
            assert done.status_code == 204
        case "over":
            Invitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
        case "unknown":
            token = "x" * 43
        case "replaced":
            invited(boss, ann.email, "viewer")

    answer = client(ann).post(f"{API}/invitations/accept", {"token": token})

    assert (answer.status_code, codes(answer)) == (400, {"/token": "invitation_invalid"})
    assert not Membership.objects.filter(team=boss.team, user=ann).exists()


def test_the_token_is_shown_once_and_stored_nowhere(boss: Membership) -> None:
    token = invited(boss, "new@example.org").json()["token"]

    listed = client(boss.user).get(path(boss, "/invitations")).json()["results"]

    assert [one["email"] for one in listed] == ["new@example.org"]
    assert "token" not in listed[0]
    assert token not in str(Invitation.objects.values().get())


def test_who_may_not_manage_invites_nobody_and_sees_no_offer(boss: Membership) -> None:
    editor = MembershipFactory.create(team=boss.team, role=Role.EDITOR)
    ann = client(editor.user)

    assert (
        ann.post(path(boss, "/invitations"), {"email": "x@y.org", "role": "viewer"}).status_code
        == 403
    )
    assert ann.get(path(boss, "/invitations")).status_code == 403


def test_a_member_is_not_invited(boss: Membership) -> None:
    answer = invited(boss, boss.user.email)

    assert (answer.status_code, answer.json()["code"]) == (409, "already_member")


@pytest.mark.django_db(transaction=True)
def test_of_many_who_accept_one_offer_at_once_one_joins() -> None:
    boss = MembershipFactory.create(role=Role.ADMIN)
    ann = UserFactory.create()
    now = timezone.now()
    _, token = teams.invite(boss.team, ann.email, Role.VIEWER, actor=boss.user, now=now)

    def accept(_: int) -> bool:
        try:
            teams.accept(token, user=ann, now=now)
        except teams.BadInvitationError:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(accept, range(4))) == 1
    assert Membership.objects.filter(team=boss.team, user=ann).count() == 1

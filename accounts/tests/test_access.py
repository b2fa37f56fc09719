"""Rules of `accounts.access`."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from rest_framework.exceptions import NotAuthenticated, PermissionDenied

from accounts.access import may, membership_of, team_of
from accounts.models import Membership, User
from accounts.roles import MATRIX, Role, Verb
from tests.factories import MembershipFactory, TeamFactory, UserFactory

pytestmark = pytest.mark.django_db


def request_of(user: User | AnonymousUser) -> HttpRequest:
    request = HttpRequest()
    request.user = user
    return request


def test_everybody_acts_in_their_personal_team() -> None:
    membership = MembershipFactory.create()

    assert team_of(request_of(membership.user)) == membership.user.personal_team


def test_a_superuser_acts_in_their_personal_team_as_well() -> None:
    user = UserFactory.create(is_superuser=True)

    assert team_of(request_of(user)) == user.personal_team


def test_a_request_asks_for_its_team_once(django_assert_num_queries: Any) -> None:
    request = request_of(UserFactory.create())

    with django_assert_num_queries(1):
        assert team_of(request) == team_of(request) == membership_of(request).team


def test_the_next_request_sees_a_lowered_role() -> None:
    user = UserFactory.create()
    assert membership_of(request_of(user)).role == Role.ADMIN

    Membership.objects.update(role=Role.VIEWER)

    assert membership_of(request_of(user)).role == Role.VIEWER


def test_nobody_has_no_team() -> None:
    with pytest.raises(NotAuthenticated):
        team_of(request_of(AnonymousUser()))


def test_who_lost_the_personal_team_is_told_so() -> None:
    user = UserFactory.create()
    Membership.objects.all().delete()

    with pytest.raises(PermissionDenied) as caught:
        team_of(request_of(user))
    assert caught.value.get_codes() == "no_team"


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("verb", Verb)
def test_the_role_in_the_team_decides(role: Role, verb: Verb) -> None:
    membership = MembershipFactory.create(role=role)

    assert may(membership.user, verb, membership.team) is (verb in MATRIX[role])


@pytest.mark.parametrize("verb", Verb)
def test_who_is_no_member_may_nothing(verb: Verb) -> None:
    team = TeamFactory.create()

    assert not may(UserFactory.create(), verb, team)
    assert not may(UserFactory.create(is_superuser=True), verb, team)
    assert not may(AnonymousUser(), verb, team)


def test_who_was_deactivated_may_nothing() -> None:
    membership = MembershipFactory.create(role=Role.ADMIN, user__is_active=False)

    assert not may(membership.user, Verb.VIEW, membership.team)

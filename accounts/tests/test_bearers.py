"""One statement tells who sends a request: the same as the ORM would, in four."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.forms.models import model_to_dict
from django.utils import timezone
from rest_framework.test import APIClient

from accounts import bearers, tokens
from accounts.models import Membership, TokenFamily, User
from accounts.roles import Role
from lib.ids import new_id
from tests.factories import MembershipFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def user() -> User:
    MembershipFactory.create()  # somebody else's
    made: User = UserFactory.create()
    MembershipFactory.create(user=made, role=Role.VIEWER)  # in another team
    tokens.sign_in(made, timezone.now())
    return made


def family_of(user: User) -> TokenFamily | None:
    first = TokenFamily.objects.filter(user=user).earliest("created_at")
    return bearers.live_family(first.pk, timezone.now())


def test_it_costs_one_statement(user: User, django_assert_num_queries: Any) -> None:
    family_id = TokenFamily.objects.get(user=user).pk

    with django_assert_num_queries(1):
        found = bearers.live_family(family_id, timezone.now())
        assert found
        assert found.membership
        assert (found.user, found.membership.team) == (user, user.personal_team)


def test_it_finds_what_the_orm_finds(user: User) -> None:
    found = family_of(user)
    assert found
    assert found.membership

    made: list[Any] = [found, found.user, found.membership, found.membership.team]
    for one in made:
        row = type(one)._default_manager.get(pk=one.pk)
        assert one == row
        assert model_to_dict(one) == model_to_dict(row)


def test_the_role_is_the_one_in_the_own_team(user: User) -> None:
    found = family_of(user)

    assert found
    assert found.membership
    assert found.membership.role == Role.ADMIN


def test_who_has_no_team_of_their_own_is_somebody_all_the_same(user: User) -> None:
    Membership.objects.filter(team=user.personal_team).delete()
    token = tokens.sign_in(user, timezone.now()).access

    found = family_of(user)
    answer = APIClient(headers={"Authorization": f"Bearer {token}"}).get("/api/v1/jobs")

    assert found
    assert (found.user, found.membership) == (user, None)
    assert (answer.status_code, answer.json()["code"]) == (403, "no_team")


@pytest.mark.parametrize("change", ["over", "revoked", "inactive", "unknown"])
def test_a_family_that_is_not_live_is_none(user: User, change: str) -> None:
    now = timezone.now()
    families = TokenFamily.objects.filter(user=user)
    family_id = families.get().pk
    match change:
        case "over":
            families.update(expires_at=now)
        case "revoked":
            families.update(revoked_at=now - timedelta(days=1))
        case "inactive":
            User.objects.filter(pk=user.pk).update(is_active=False)
        case "unknown":
            family_id = new_id()

    assert bearers.live_family(family_id, now) is None

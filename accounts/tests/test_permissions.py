"""Rules of `accounts.permissions`."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.response import Response
from rest_framework.test import APIRequestFactory, force_authenticate
from rest_framework.viewsets import ViewSet

from accounts.access import team_of
from accounts.models import Membership, User
from accounts.permissions import RolePermission
from accounts.roles import MATRIX, Role, Verb
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db


class ThingViewSet(ViewSet):
    permission_classes = [RolePermission]
    verbs = {"start": Verb.OPERATE, "invite": Verb.MANAGE}

    def start(self, request: Any) -> Response:
        team_of(request)
        return Response([])

    list = create = update = destroy = invite = start


ACTIONS = [
    ("GET", "list", Verb.VIEW),
    ("HEAD", "list", Verb.VIEW),
    ("POST", "create", Verb.EDIT),
    ("PUT", "update", Verb.EDIT),
    ("DELETE", "destroy", Verb.EDIT),
    ("POST", "start", Verb.OPERATE),
    ("POST", "invite", Verb.MANAGE),
]


def ask(method: str, action: str, user: User | None) -> Any:
    request = APIRequestFactory().generic(method, "/things")
    if user:
        force_authenticate(request, user)
    return ThingViewSet.as_view({method.lower(): action})(request)


def with_role(role: Role) -> User:
    user = UserFactory.create()
    Membership.objects.filter(user=user).update(role=role)
    return user


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize(("method", "action", "verb"), ACTIONS)
def test_a_role_may_what_the_matrix_says(method: str, action: str, verb: Verb, role: Role) -> None:
    answer = ask(method, action, with_role(role))

    assert answer.status_code == (200 if verb in MATRIX[role] else 403)


def test_who_may_not_is_told_what_is_missing() -> None:
    body = ask("POST", "start", with_role(Role.VIEWER)).data

    assert body["code"] == "role_too_low"
    assert body["detail"] == "Your role is viewer; it does not include the right to operate."


@pytest.mark.parametrize(("method", "action", "verb"), ACTIONS)
def test_nobody_gets_a_401(method: str, action: str, verb: Verb) -> None:
    answer = ask(method, action, None)

    assert answer.status_code == 401
    assert answer["WWW-Authenticate"] == "Bearer"


def test_the_permission_and_the_view_share_one_query(django_assert_num_queries: Any) -> None:
    user = with_role(Role.VIEWER)

    with django_assert_num_queries(1):
        assert ask("GET", "list", user).status_code == 200

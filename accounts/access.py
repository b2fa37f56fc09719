"""Whose objects a request is about, and what its user may do with them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rest_framework.exceptions import NotAuthenticated, PermissionDenied

from accounts.models import Membership, User
from accounts.roles import allows

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser
    from django.http import HttpRequest
    from rest_framework.request import Request

    from accounts.models import Team
    from accounts.roles import Verb

_CACHE = "_chronos_membership"


def user_of(request: Request | HttpRequest) -> User:
    """Return who sends ``request``. Raises ``NotAuthenticated`` for nobody."""
    if not isinstance(request.user, User):
        raise NotAuthenticated
    return request.user


def membership_of(request: Request | HttpRequest) -> Membership:
    """Return the membership by which the request's user acts; asks the database once a request.

    Everybody acts in their personal team. Raises ``NotAuthenticated`` for nobody and
    ``PermissionDenied`` for somebody without a team.
    """
    user = user_of(request)
    cached: Membership | None = getattr(request, _CACHE, None)
    if cached is not None and cached.user_id == user.pk:
        return cached

    membership = own_membership(user)
    if membership is None:
        raise PermissionDenied("You belong to no team.", code="no_team")
    remember(request, membership)
    return membership


def remember(request: Request | HttpRequest, membership: Membership) -> None:
    """Spare ``membership_of`` its question: the database has just told ``membership``."""
    setattr(request, _CACHE, membership)


def own_membership(user: User) -> Membership | None:
    """Return ``user``'s membership in their personal team, with the team."""
    mine = Membership.objects.filter(user=user, team__personal_of=user)
    return mine.select_related("team").first()


def team_of(request: Request | HttpRequest) -> Team:
    """Return the team whose objects this request sees. Raises as ``membership_of`` does."""
    return membership_of(request).team


def may(user: User | AnonymousUser, verb: Verb, team: Team) -> bool:
    """Say whether ``user`` may ``verb`` what ``team`` owns, as the database knows it now."""
    if not user.is_active or not user.is_authenticated:
        return False
    role = Membership.objects.filter(user=user, team=team).values_list("role", flat=True).first()
    return role is not None and allows(role, verb)

"""Whose objects a request is about, and what its user may do with them."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from django.http import Http404
from rest_framework.exceptions import NotAuthenticated, PermissionDenied

from accounts.models import ApiKey, Membership, User
from accounts.roles import MATRIX, Role, Verb, allows
from lib.faults import HeaderError, fault

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser
    from django.http import HttpRequest
    from rest_framework.request import Request

    from accounts.models import Team

TEAM_HEADER = "X-Chronos-Team"

_CACHE = "_chronos_membership"


def user_of(request: Request | HttpRequest) -> User:
    """Return who sends ``request``. Raises ``NotAuthenticated`` for nobody."""
    if not isinstance(request.user, User):
        raise NotAuthenticated
    return request.user


def membership_of(request: Request | HttpRequest) -> Membership:
    """Return the membership by which the request's user acts; asks the database once a request.

    People act in the team that ``X-Chronos-Team`` names, or else in their personal one; an API key
    in its own. Raises ``NotAuthenticated`` for nobody, ``HeaderError`` for a name that is no id,
    ``Http404`` for a team whose member the user is not, and ``PermissionDenied`` for somebody
    without a team.
    """
    user = user_of(request)
    cached: Membership | None = getattr(request, _CACHE, None)
    if cached is not None and cached.user_id == user.pk:
        return cached

    if names_team(request):
        membership = membership_in(_named_team(request), user)
    else:
        own = own_membership(user)
        if own is None:
            raise PermissionDenied("You belong to no team.", code="no_team")
        membership = own
    remember(request, membership)
    return membership


def membership_in(team_id: UUID, user: User) -> Membership:
    """Return ``user``'s membership in a team. Raises ``Http404`` if there is none."""
    mine = Membership.objects.filter(user=user, team=team_id).select_related("team").first()
    if mine is None:
        raise Http404
    return mine


def act_in(request: Request, team_id: UUID) -> None:
    """Let the request act in the team that its path names. Raises as ``membership_in`` does."""
    membership = membership_in(team_id, user_of(request))
    if isinstance(request.auth, ApiKey) and request.auth.team_id != team_id:
        raise Http404
    remember(request, membership)


def names_team(request: Request | HttpRequest) -> bool:
    """Say whether the request says in which team it acts."""
    return TEAM_HEADER in request.headers


def check_team(request: Request, membership: Membership) -> None:
    """Raise ``Http404`` if the request wants to act in another team than that of its key."""
    if names_team(request) and _named_team(request) != membership.team_id:
        raise Http404


def _named_team(request: Request | HttpRequest) -> UUID:
    try:
        return UUID(request.headers[TEAM_HEADER])
    except ValueError:
        words = fault("This must be the id of a team.", "team_invalid", "GET /teams lists yours.")
        raise HeaderError({TEAM_HEADER: [words]}) from None


def verbs_of(request: Request) -> frozenset[Verb]:
    """Return what the request may do in its team: what the role allows, and the key's scopes."""
    verbs = MATRIX[Role(membership_of(request).role)]
    if isinstance(request.auth, ApiKey):
        return verbs & {Verb(scope) for scope in request.auth.scopes}
    return verbs


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

"""Who sends a request: the bearer of an access token."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from django.utils import timezone
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed

from accounts import access, tokens

if TYPE_CHECKING:
    from rest_framework.request import Request

    from accounts.models import TokenFamily, User


class NoAuthentication(BaseAuthentication):
    """For what people do before they have a token: whatever they send along does not matter.

    A failed sign-in is still a 401 that says ``WWW-Authenticate: Bearer``.
    """

    def authenticate(self, request: Request) -> None:
        return None

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class TokenAuthentication(BaseAuthentication):
    """``Authorization: Bearer <access token>``. ``request.auth`` is the token's live family."""

    def authenticate(self, request: Request) -> tuple[User, TokenFamily] | None:
        scheme, *rest = get_authorization_header(request).split() or [b""]
        if scheme.lower() != b"bearer":
            return None
        if len(rest) != 1:
            refuse()
        try:
            family = tokens.family_of_access(rest[0].decode("latin-1"), timezone.now())
        except tokens.BadTokenError:
            refuse()
        if family.membership is not None:
            access.remember(request, family.membership)
        return family.user, family

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


def refuse() -> NoReturn:
    """Raise the one answer to every token that is not good."""
    raise AuthenticationFailed("The token is not valid, or no longer.", code="token_invalid")

"""Who sends a request: the bearer of an access token, or of an API key."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from django.utils import timezone
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed

from accounts import access, api_keys, tokens

if TYPE_CHECKING:
    from rest_framework.request import Request

    from accounts.models import ApiKey, TokenFamily, User


class NoAuthentication(BaseAuthentication):
    """For what people do before they have a token: whatever they send along does not matter.

    A failed sign-in is still a 401 that says ``WWW-Authenticate: Bearer``.
    """

    def authenticate(self, request: Request) -> None:
        return None

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class TokenAuthentication(BaseAuthentication):
    """``Authorization: Bearer <access token or API key>``.

    ``request.auth`` is the live family of the token, or the live key.
    """

    def authenticate(self, request: Request) -> tuple[User, TokenFamily | ApiKey] | None:
        scheme, *rest = get_authorization_header(request).split() or [b""]
        if scheme.lower() != b"bearer":
            return None
        if len(rest) != 1:
            refuse()
        raw = rest[0].decode("latin-1")
        try:
            return _by_key(request, raw) if api_keys.is_key(raw) else _by_token(request, raw)
        except tokens.BadTokenError:
            refuse()

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


def _by_token(request: Request, raw: str) -> tuple[User, TokenFamily]:
    family = tokens.family_of_access(raw, timezone.now())
    if family.membership is not None and not access.names_team(request):
        access.remember(request, family.membership)
    return family.user, family


def _by_key(request: Request, raw: str) -> tuple[User, ApiKey]:
    key, membership = api_keys.find(raw, timezone.now())
    access.check_team(request, membership)
    access.remember(request, membership)
    return key.user, key


def refuse() -> NoReturn:
    """Raise the one answer to every token that is not good."""
    raise AuthenticationFailed("The token is not valid, or no longer.", code="token_invalid")

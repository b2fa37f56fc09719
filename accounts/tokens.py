"""Tokens of the API: signed, short-lived, and good only while their family lives."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

import structlog
from django.conf import settings
from django.db.models import F
from django.db.models.functions import Least
from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.tokens import Token

from accounts import bearers
from accounts.models import TokenFamily, User
from lib.ids import new_id

log = structlog.get_logger(__name__)

LONGEST_SIGN_IN = timedelta(days=30)
"""However often it is refreshed, a sign-in ends after this time."""


class BadTokenError(Exception):
    """The token is not good, for whatever reason; who sent it learns no more than that."""


class AccessToken(Token):
    """Proves who sends a request."""

    token_type = "access"  # noqa: S105  a word, not a secret
    lifetime = settings.SIMPLE_JWT["ACCESS_TOKEN_LIFETIME"]


class RefreshToken(Token):
    """Is exchanged, once, for the next pair."""

    token_type = "refresh"  # noqa: S105  a word, not a secret
    lifetime = settings.SIMPLE_JWT["REFRESH_TOKEN_LIFETIME"]


TokenT = TypeVar("TokenT", AccessToken, RefreshToken)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """What a client gets when it signs in or refreshes."""

    user: User
    access: str
    refresh: str
    expires_in: int
    """Seconds that ``access`` is good for."""


class _Claims(NamedTuple):
    """What a good access token says."""

    family_id: UUID
    user_id: str
    expires_at: float
    """A Unix time."""


def sign_in(user: User, now: datetime) -> Pair:
    """Start a family of tokens for ``user``, whose password was checked."""
    family = TokenFamily(id=new_id(), user=user, created_at=now)
    pair, family.current_jti = _issue(user, family.pk, now)
    family.expires_at = now + RefreshToken.lifetime
    family.save(force_insert=True)
    return pair


def refresh(raw: str, now: datetime) -> Pair:
    """Exchange the newest refresh token of a family for the next pair.

    The exchange is one guarded UPDATE, so of any number of parallel calls exactly one wins. A
    token that was exchanged before has been copied by somebody: its whole family is revoked.
    Raises ``BadTokenError``.
    """
    token = _read(RefreshToken, raw)
    family_id = _family_of(token)
    user = User.objects.filter(pk=token["sub"], is_active=True).first()
    if user is None:
        raise BadTokenError

    pair, jti = _issue(user, family_id, now)
    live = TokenFamily.objects.filter(pk=family_id, user_id=user.pk).live(now)
    won = live.filter(current_jti=token["jti"]).update(
        current_jti=jti,
        expires_at=Least(now + RefreshToken.lifetime, F("created_at") + LONGEST_SIGN_IN),
    )
    if not won:
        _revoke(family_id, now, reason="reuse")
        raise BadTokenError
    return pair


def sign_out(family_id: UUID, now: datetime) -> None:
    """End a sign-in: no token of the family is good from now on. Repeating changes nothing."""
    _revoke(family_id, now, reason="sign_out")


def family_of_access(raw: str, now: datetime) -> TokenFamily:
    """Return the live family that an access token speaks for, with its active user and their role.

    One query; so a sign-out, a deactivated user, a revoked family and a lowered role count at
    once. Raises ``BadTokenError``.
    """
    claims = _claims(raw, settings.SIMPLE_JWT["SIGNING_KEY"])
    if claims.expires_at <= now.timestamp():
        raise BadTokenError
    family = bearers.live_family(claims.family_id, now)
    if family is None or str(family.user_id) != claims.user_id:
        raise BadTokenError
    return family


def family_of_refresh(raw: str) -> UUID:
    """Return the family that a refresh token belongs to. Raises ``BadTokenError``."""
    return _family_of(_read(RefreshToken, raw))


def _issue(user: User, family_id: UUID, now: datetime) -> tuple[Pair, str]:
    """Sign a pair; return it with the id of its refresh token."""
    access, following = AccessToken(), RefreshToken()
    for token in (access, following):
        token.set_exp(from_time=now)
        # No ``iat``: a host whose clock is a second behind would refuse the token.
        del token["iat"]
        token["sub"], token["fam"] = str(user.pk), str(family_id)
    seconds = int(AccessToken.lifetime.total_seconds())
    pair = Pair(user=user, access=str(access), refresh=str(following), expires_in=seconds)
    return pair, following["jti"]


def _read(kind: type[TokenT], raw: str) -> TokenT:
    """Check signature, algorithm, audience, issuer, type and end of a token."""
    try:
        return kind(raw)  # type: ignore[arg-type]  # the library annotates text as a token
    # The library lets through what its JSON reader and its clock make of a forged token.
    except (TokenError, ValueError, TypeError, OverflowError, RecursionError) as exc:
        raise BadTokenError from exc


@lru_cache(maxsize=1024)
def _claims(raw: str, key: str) -> _Claims:
    """Read an access token; what was signed with ``key`` once stays so, except that it ends."""
    token = _read(AccessToken, raw)
    return _Claims(_family_of(token), str(token["sub"]), token["exp"])


def _family_of(token: Token) -> UUID:
    claims: Any = token.payload
    try:
        UUID(claims["sub"])
        return UUID(claims["fam"])
    except (KeyError, ValueError, AttributeError, TypeError) as exc:
        raise BadTokenError from exc


def _revoke(family_id: UUID, now: datetime, *, reason: str) -> None:
    families = TokenFamily.objects.filter(pk=family_id).live(now)
    if families.update(revoked_at=now, revoked_reason=reason):
        log.info("token_family.revoked", family_id=str(family_id), reason=reason)

"""API keys: what a program sends instead of a password, shown once and stored as a hash."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import string
import zlib
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from accounts.models import ApiKey, Membership
from accounts.roles import MATRIX, Role, Verb
from accounts.tokens import BadTokenError

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from accounts.models import User

log = structlog.get_logger(__name__)

MARK = "chr_"
SHOWN = len(MARK) + 8  # characters that find a key, and that may be shown
SECRET_LENGTH = 43  # characters out of 62: 256 bits
CHECK_LENGTH = 6  # characters; a typing error costs no look into the database
NOTED_EVERY = timedelta(minutes=1)  # ``last_used_at`` is no older than this; each call is no write

_ALPHABET = string.digits + string.ascii_letters  # a double click selects it whole
_BODY_LENGTH = SHOWN - len(MARK) + SECRET_LENGTH
_FORM = re.compile(
    rf"{MARK}([0-9A-Za-z]{{{_BODY_LENGTH}}})([0-9A-Za-z]{{{CHECK_LENGTH}}})", re.ASCII
)


class ScopeTooWideError(Exception):
    """Nobody hands out what they may not do themselves."""

    def __init__(self, scopes: Collection[str]) -> None:
        super().__init__(f"You may not hand out {', '.join(sorted(scopes))}.")
        self.scopes = scopes


def create(  # noqa: PLR0913  each is a choice of the caller's
    membership: Membership,
    *,
    name: str,
    scopes: Collection[Verb],
    grantable: Collection[Verb],
    created_by: User,
    expires_at: datetime | None,
    now: datetime,
) -> tuple[ApiKey, str]:
    """Make a key by which a program acts as ``membership`` says; return it with its secret.

    Raises ``ScopeTooWideError`` for scopes outside of ``grantable`` or of the role.
    """
    wide = set(scopes) - (set(grantable) & MATRIX[Role(membership.role)])
    if wide:
        raise ScopeTooWideError([scope.value for scope in wide])
    raw = _new_secret()
    key = ApiKey.objects.create(
        team=membership.team,
        user=membership.user,
        created_by=created_by,
        name=name,
        prefix=raw[:SHOWN],
        digest=_digest(raw),
        scopes=[scope.value for scope in Verb if scope in scopes],
        created_at=now,
        expires_at=expires_at,
    )
    log.info("api_key.created", prefix=key.prefix, actor=str(created_by))
    return key, raw


def revoke(key: ApiKey, *, actor: User, now: datetime) -> None:
    """Let the key be good for nothing from now on; repeating it changes nothing."""
    if ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=now):
        log.info("api_key.revoked", prefix=key.prefix, actor=str(actor))


def find(raw: str, now: datetime) -> tuple[ApiKey, Membership]:
    """Return the live key that ``raw`` is, and the membership of its user, as it is now.

    Raises ``BadTokenError`` for anything else.
    """
    if not _is_well_formed(raw):
        raise BadTokenError
    key = ApiKey.objects.live(now).select_related("user").filter(prefix=raw[:SHOWN]).first()
    if key is None or not hmac.compare_digest(key.digest, _digest(raw)) or not key.user.is_active:
        raise BadTokenError
    mine = Membership.objects.filter(user=key.user_id, team=key.team_id)
    membership = mine.select_related("team").first()
    if membership is None:
        raise BadTokenError
    membership.user = key.user
    if key.last_used_at is None or key.last_used_at < now - NOTED_EVERY:
        ApiKey.objects.filter(pk=key.pk).update(last_used_at=now)
    return key, membership


def is_key(raw: str) -> bool:
    """Say whether ``raw`` wants to be an API key, good or not."""
    return raw.startswith(MARK)


def _new_secret() -> str:
    body = "".join(secrets.choice(_ALPHABET) for _ in range(_BODY_LENGTH))
    return MARK + body + _check(body)


def _is_well_formed(raw: str) -> bool:
    match = _FORM.fullmatch(raw)
    return match is not None and match[2] == _check(match[1])


def _check(body: str) -> str:
    number, digits = zlib.crc32(body.encode()), ""
    for _ in range(CHECK_LENGTH):
        number, place = divmod(number, len(_ALPHABET))
        digits += _ALPHABET[place]
    return digits


def _digest(raw: str) -> str:
    """A plain hash does: nobody guesses 256 bits, so nothing has to slow them down."""
    return hashlib.sha256(raw.encode()).hexdigest()

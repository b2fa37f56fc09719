"""Whose sign-in it is that a token names, and their role: one statement, for every request."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from django.db import connection

from accounts.models import Membership, Team, TokenFamily, User
from lib.rows import Columns

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID


class _Parts(NamedTuple):
    family: Columns[TokenFamily]
    user: Columns[User]
    membership: Columns[Membership]
    team: Columns[Team]


@cache
def _parts() -> _Parts:
    return _Parts(
        Columns(TokenFamily, "family"),
        Columns(User, "person"),
        Columns(Membership, "membership"),
        Columns(Team, "team"),
    )


@cache
def _statement() -> str:
    return f"""
    SELECT {", ".join(part.sql for part in _parts())}
    FROM accounts_tokenfamily AS family
    JOIN accounts_user AS person ON person.id = family.user_id
    LEFT JOIN accounts_team AS team ON team.personal_of_id = person.id
    LEFT JOIN accounts_membership AS membership
        ON membership.team_id = team.id AND membership.user_id = person.id
    WHERE family.id = %s AND family.revoked_at IS NULL AND family.expires_at > %s
        AND person.is_active
    """  # noqa: S608  the pieces are names of columns


def live_family(family_id: UUID, now: datetime) -> TokenFamily | None:
    """Return the live family of an active user, with ``user`` and ``membership``."""
    with connection.cursor() as cursor:
        cursor.execute(_statement(), [family_id, now])
        row = cursor.fetchone()
    if row is None:
        return None
    parts = _parts()
    family, place = parts.family.take(row)
    user, place = parts.user.take(row, place)
    membership, place = parts.membership.take(row, place)
    team, _ = parts.team.take(row, place)
    assert family is not None  # noqa: S101  its id was asked for
    assert user is not None  # noqa: S101  joined by the family
    family.user, family.membership = user, membership
    if membership is not None and team is not None:
        membership.user, membership.team = user, team
    return family

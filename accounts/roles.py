"""Roles, and the one matrix that says what each may do."""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    """What a member may do in a team; each role may all that the ones before it may."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    EDITOR = "editor"
    ADMIN = "admin"


class Verb(StrEnum):
    """What somebody wants to do with a team's objects."""

    VIEW = "view"
    OPERATE = "operate"  # run now, pause, resume, cancel, retry
    EDIT = "edit"  # create, change, archive definitions
    MANAGE = "manage"  # members, keys, team settings


MATRIX: dict[Role, frozenset[Verb]] = {
    Role.VIEWER: frozenset({Verb.VIEW}),
    Role.OPERATOR: frozenset({Verb.VIEW, Verb.OPERATE}),
    Role.EDITOR: frozenset({Verb.VIEW, Verb.OPERATE, Verb.EDIT}),
    Role.ADMIN: frozenset(Verb),
}


def allows(role: Role | str, verb: Verb) -> bool:
    """Say whether ``role`` may do ``verb``. An unknown role raises ``ValueError``."""
    return verb in MATRIX[Role(role)]

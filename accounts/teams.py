"""Who belongs to a team, as what, and who is asked to join."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog
from django.db import transaction
from django.db.models import ProtectedError

from accounts.models import ApiKey, Invitation, Membership, Team, User
from accounts.roles import Role

if TYPE_CHECKING:
    from datetime import datetime

log = structlog.get_logger(__name__)

INVITED_FOR = timedelta(days=7)
TOKEN_BYTES = 32


class TeamError(Exception):
    """A team cannot be changed like that; ``code`` says why."""

    code = "team_state"


class LastAdminError(TeamError):
    code = "last_admin"


class PersonalTeamError(TeamError):
    code = "team_personal"


class ServiceAdminError(TeamError):
    code = "service_not_admin"


class TeamInUseError(TeamError):
    code = "team_in_use"


class AlreadyMemberError(TeamError):
    code = "already_member"


class BadInvitationError(Exception):
    """The token accepts nothing, for whatever reason; who sent it learns no more than that."""


def create(name: str, *, founder: User) -> Team:
    """Create a team of which ``founder`` is the admin."""
    with transaction.atomic():
        team = Team.objects.create(name=name)
        Membership.objects.create(team=team, user=founder, role=Role.ADMIN)
    log.info("team.created", team_id=str(team.pk), actor=str(founder))
    return team


def rename(team: Team, name: str, *, actor: User) -> None:
    Team.objects.filter(pk=team.pk).update(name=name)
    team.name = name
    log.info("team.renamed", team_id=str(team.pk), actor=str(actor))


def delete(team: Team, *, actor: User) -> None:
    """Delete a team that owns nothing, with its memberships, keys and service accounts.

    Raises ``PersonalTeamError`` and ``TeamInUseError``; an archived job is owned as well.
    """
    if team.personal_of_id is not None:
        raise PersonalTeamError("A personal team goes with its person.")
    team_id = str(team.pk)
    try:
        team.delete()
    except ProtectedError as exc:
        raise TeamInUseError("The team has jobs, or had some whose history is kept.") from exc
    log.info("team.deleted", team_id=team_id, actor=str(actor))


def change_role(membership: Membership, role: Role, *, actor: User) -> None:
    """Give a member another role.

    Raises ``LastAdminError`` when nobody would be left to, and ``ServiceAdminError``: teams are
    managed by people.
    """
    if membership.user.is_service and role is Role.ADMIN:
        raise ServiceAdminError("A service account is not made admin: people manage teams.")
    with transaction.atomic():
        _keep_an_admin(membership, stays=role is Role.ADMIN)
        Membership.objects.filter(pk=membership.pk).update(role=role)
        membership.role = role
    log.info("member.role", user_id=str(membership.user_id), role=role, actor=str(actor))


def remove(membership: Membership, *, actor: User, now: datetime) -> None:
    """Take a member out of the team; their keys of it are good for nothing from now on.

    A service account goes as a whole. Raises ``LastAdminError``, and ``PersonalTeamError`` for the
    person of a personal team.
    """
    if membership.team.personal_of_id == membership.user_id:
        raise PersonalTeamError("Nobody leaves their personal team.")
    with transaction.atomic():
        _keep_an_admin(membership, stays=False)
        keys = ApiKey.objects.filter(team=membership.team_id, user=membership.user_id)
        keys.live(now).update(revoked_at=now)
        (membership.user if membership.user.is_service else membership).delete()
    log.info("member.removed", user_id=str(membership.user_id), actor=str(actor))


def add_service(team: Team, name: str, role: Role, *, actor: User) -> Membership:
    """Make a service account of ``team``; it acts by the API keys that are made for it."""
    with transaction.atomic():
        user = User.objects.create_service(team, name)
        membership = Membership.objects.create(team=team, user=user, role=role)
    log.info("service_account.created", user_id=str(user.pk), actor=str(actor))
    return membership


def invite(
    team: Team, email: str, role: Role, *, actor: User, now: datetime
) -> tuple[Invitation, str]:
    """Offer somebody to join; return the offer and the token that accepts it, once.

    Whether there is an account with that address is not told. An older offer to it is withdrawn.
    Raises ``AlreadyMemberError`` for a member, whom everybody in the team sees anyway.
    """
    if Membership.objects.filter(team=team, user__email=email).exists():
        raise AlreadyMemberError(f"{email} belongs to the team already.")
    token = secrets.token_urlsafe(TOKEN_BYTES)
    with transaction.atomic():
        Invitation.objects.filter(team=team, email=email).open(now).update(revoked_at=now)
        invitation = Invitation.objects.create(
            team=team,
            email=email,
            role=role,
            digest=_digest(token),
            invited_by=actor,
            created_at=now,
            expires_at=now + INVITED_FOR,
        )
    log.info("invitation.made", team_id=str(team.pk), actor=str(actor))
    return invitation, token


def withdraw(invitation: Invitation, *, actor: User, now: datetime) -> None:
    """Take an offer back; repeating it changes nothing."""
    Invitation.objects.filter(pk=invitation.pk).open(now).update(revoked_at=now)
    log.info("invitation.withdrawn", team_id=str(invitation.team_id), actor=str(actor))


def accept(token: str, *, user: User, now: datetime) -> Membership:
    """Join the team that ``token`` offers to ``user``'s address. Exactly one of many calls joins.

    Raises ``BadInvitationError`` for a token that is unknown, used, withdrawn, too old, or for
    somebody else: which of these is not told.
    """
    with transaction.atomic():
        mine = Invitation.objects.open(now).filter(digest=_digest(token), email=user.email)
        if not mine.update(accepted_at=now):
            raise BadInvitationError("This invitation is not good, or no longer.")
        invitation = Invitation.objects.select_related("team").get(digest=_digest(token))
        membership, _ = Membership.objects.get_or_create(
            team=invitation.team, user=user, defaults={"role": invitation.role}
        )
    log.info("invitation.accepted", team_id=str(invitation.team_id), actor=str(user))
    return membership


def _keep_an_admin(membership: Membership, *, stays: bool) -> None:
    """Raise ``LastAdminError`` if no person would be admin. One change of a team at a time."""
    Team.objects.select_for_update().get(pk=membership.team_id)
    admins = Membership.objects.filter(team=membership.team_id, role=Role.ADMIN)
    others = admins.filter(user__service_of=None, user__is_active=True).exclude(pk=membership.pk)
    if not stays and not others.exists():
        raise LastAdminError("The team needs an admin; make somebody else one first.")


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()

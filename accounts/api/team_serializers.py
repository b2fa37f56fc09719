"""Teams, members, service accounts, invitations and API keys over the wire."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rest_framework import serializers

from accounts.api.serializers import MAX_TOKEN, Email
from accounts.models import ApiKey, Invitation, Membership, Team
from accounts.roles import Role, Verb
from lib.fields import Instant, Line, Text, Word
from lib.serializers import StrictSerializer

if TYPE_CHECKING:
    from collections.abc import Sequence

ROLES = [role.value for role in Role]
SCOPES = [verb.value for verb in Verb]
MAX_NAME = 150


class TeamSerializer(StrictSerializer):
    """A team of the caller's; ``role`` is the caller's own."""

    id = serializers.UUIDField(read_only=True)
    name = Line(max_length=MAX_NAME)
    personal = serializers.BooleanField(read_only=True, help_text="It goes with its person.")
    role = serializers.ChoiceField(choices=ROLES, read_only=True)
    created_at = Instant(read_only=True)

    def to_representation(self, membership: Membership) -> dict[str, Any]:
        team: Team = membership.team
        return {
            "id": str(team.pk),
            "name": team.name,
            "personal": team.personal_of_id is not None,
            "role": membership.role,
            "created_at": Instant().to_representation(team.created_at),
        }


class MemberSerializer(StrictSerializer):
    """Somebody who belongs to a team; a service account has no address."""

    id = serializers.UUIDField(read_only=True, source="user_id", help_text="Of the user.")
    email = serializers.SerializerMethodField()
    name = serializers.CharField(read_only=True, source="user.name")
    service_account = serializers.BooleanField(read_only=True, source="user.is_service")
    role = Word(choices=ROLES)
    joined_at = Instant(read_only=True)

    def get_email(self, membership: Membership) -> str | None:
        return None if membership.user.is_service else membership.user.email


class ServiceAccountSerializer(MemberSerializer):
    """Acts for a program, by API keys and nothing else."""

    name = Line(max_length=MAX_NAME, source="user.name")
    role = Word(choices=[role for role in ROLES if role != Role.ADMIN.value])

    def to_internal_value(self, data: Any) -> Any:
        value = super().to_internal_value(data)
        return {"role": Role(value["role"]), "name": value["user"]["name"]}


class InvitationSerializer(StrictSerializer):
    """An offer to join."""

    id = serializers.UUIDField(read_only=True)
    email = Email()
    role = Word(choices=ROLES)
    created_at = Instant(read_only=True)
    expires_at = Instant(read_only=True)


class MadeInvitationSerializer(InvitationSerializer):
    """An offer to join, with the token that accepts it: it is shown this once."""

    token = serializers.CharField(read_only=True)

    def to_representation(self, made: tuple[Invitation, str]) -> dict[str, Any]:
        invitation, token = made
        return InvitationSerializer(invitation).data | {"token": token}


class AcceptSerializer(StrictSerializer):
    token = Text(max_length=MAX_TOKEN)


class ApiKeySerializer(StrictSerializer):
    """A key by which a program acts in a team."""

    id = serializers.UUIDField(read_only=True)
    name = Line(max_length=MAX_NAME)
    prefix = serializers.CharField(read_only=True, help_text="How it begins; the rest is secret.")
    scopes = serializers.ListField(
        child=Word(choices=SCOPES),
        allow_empty=False,
        max_length=len(SCOPES),
        help_text="What it may do at most; its user's role may allow less.",
    )
    user = serializers.UUIDField(
        required=False,
        source="user_id",
        help_text="As whom it acts: the caller, or for admins a service account of the team.",
    )
    created_at = Instant(read_only=True)
    expires_at = Instant(required=False, allow_null=True, default=None)
    last_used_at = Instant(read_only=True)

    def validate_scopes(self, scopes: Sequence[str]) -> list[Verb]:
        return [verb for verb in Verb if verb.value in scopes]


class MadeApiKeySerializer(ApiKeySerializer):
    """A key with its secret, which is shown this once."""

    secret = serializers.CharField(read_only=True)

    def to_representation(self, made: tuple[ApiKey, str]) -> dict[str, Any]:
        key, secret = made
        return ApiKeySerializer(key).data | {"secret": secret}

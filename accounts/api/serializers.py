"""What people send to sign up and in, and what they get."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.auth.password_validation import validate_password
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.access import own_membership
from accounts.models import User
from accounts.roles import Role
from lib.fields import Line, Text
from lib.serializers import StrictSerializer

if TYPE_CHECKING:
    from accounts.tokens import Pair

MAX_PASSWORD = 256  # characters; checking a longer one costs more than it protects
MAX_TOKEN = 4096


class Email(serializers.EmailField):
    """An address in printable ASCII, answered in lower case, which is how it is kept."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"max_length": 254, "trim_whitespace": False} | kwargs)

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str) or not (data.isascii() and data.isprintable()):
            self.fail("invalid")
        return super().to_internal_value(data).lower()


class RegisterSerializer(StrictSerializer):
    email = Email()
    password = Text(max_length=MAX_PASSWORD, write_only=True)
    name = Line(max_length=150, required=False, default="", allow_blank=True)

    def validate_password(self, password: str) -> str:
        """Refuse a password that is easy to guess, also by who its owner is."""
        given = self.initial_data
        owner = User(email=str(given.get("email"))[:254], name=str(given.get("name"))[:150])
        validate_password(password, owner)
        return password


class LoginSerializer(StrictSerializer):
    email = Email()
    password = Text(max_length=MAX_PASSWORD, write_only=True)


class RefreshSerializer(StrictSerializer):
    refresh = Text(max_length=MAX_TOKEN)


class LogoutSerializer(StrictSerializer):
    refresh = Text(
        max_length=MAX_TOKEN, required=False, help_text="Else the bearer's sign-in ends."
    )


class ProfileSerializer(StrictSerializer):
    name = Line(max_length=150, allow_blank=True, required=False)


class OwnTeamSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    name = serializers.CharField()
    role = serializers.ChoiceField(choices=[role.value for role in Role])


class UserSerializer(serializers.ModelSerializer[User]):
    created_at = serializers.DateTimeField(source="date_joined")
    team = serializers.SerializerMethodField()

    class Meta:
        model = User
        fields = ["id", "email", "name", "team", "created_at"]
        read_only_fields = fields

    @extend_schema_field(OwnTeamSerializer(allow_null=True))
    def get_team(self, user: User) -> dict[str, str] | None:
        mine = own_membership(user)
        if mine is None:
            return None
        return {"id": str(mine.team.pk), "name": mine.team.name, "role": mine.role}


class TokensSerializer(serializers.Serializer[Any]):
    """A pair of tokens. ``refresh`` is good for one exchange; ``token`` is ``access`` again."""

    user = UserSerializer()
    access = serializers.CharField()
    refresh = serializers.CharField()
    token = serializers.CharField(source="access")
    token_type = serializers.CharField(default="Bearer")
    expires_in = serializers.IntegerField(help_text="Seconds that `access` is good for.")

    def to_representation(self, instance: Pair) -> dict[str, Any]:
        return super().to_representation(instance) | {"token_type": "Bearer"}

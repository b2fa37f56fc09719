"""How the API's documentation tells to authenticate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view

from accounts.api.team_serializers import (
    MadeApiKeySerializer,
    MadeInvitationSerializer,
    TeamSerializer,
)

if TYPE_CHECKING:
    from drf_spectacular.openapi import AutoSchema


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # its metaclass
    """Known to drf-spectacular as soon as this module is imported."""

    target_class = "accounts.authentication.TokenAuthentication"
    name = "bearer"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        words = "An access token of `POST /auth/login`, or an API key, which begins with `chr_`."
        return {"type": "http", "scheme": "bearer", "description": words}


TEAM, USER, ID = (
    OpenApiParameter(name, OpenApiTypes.UUID, OpenApiParameter.PATH)
    for name in ("team", "user", "id")
)

documented_teams = extend_schema_view(
    list=extend_schema(tags=["teams"], description="The teams that you belong to, by name."),
    create=extend_schema(tags=["teams"], description="Found a team; you are its admin."),
    retrieve=extend_schema(tags=["teams"], parameters=[TEAM], description="One of your teams."),
    partial_update=extend_schema(tags=["teams"], parameters=[TEAM], description="Rename a team."),
    destroy=extend_schema(
        tags=["teams"],
        parameters=[TEAM],
        description="Delete a team that owns nothing. A personal team goes with its person.",
    ),
)

documented_members = extend_schema_view(
    list=extend_schema(tags=["teams"], parameters=[TEAM], description="Who belongs to the team."),
    retrieve=extend_schema(tags=["teams"], parameters=[TEAM, USER], description="One of them."),
    partial_update=extend_schema(
        tags=["teams"], parameters=[TEAM, USER], description="Give a member another role."
    ),
    destroy=extend_schema(
        tags=["teams"],
        parameters=[TEAM, USER],
        description="Remove a member. Their API keys of the team are good no more.",
    ),
)
documented_services = extend_schema_view(
    list=extend_schema(
        tags=["teams"], parameters=[TEAM], description="What acts for programs of the team."
    ),
    create=extend_schema(
        tags=["teams"],
        parameters=[TEAM],
        description="Make a service account. It acts by the API keys that you make for it.",
    ),
    retrieve=extend_schema(tags=["teams"], parameters=[TEAM, USER], description="One of them."),
    destroy=extend_schema(
        tags=["teams"], parameters=[TEAM, USER], description="Delete one, with its API keys."
    ),
)
documented_invitations = extend_schema_view(
    list=extend_schema(tags=["teams"], parameters=[TEAM], description="Offers that are open."),
    create=extend_schema(
        tags=["teams"],
        parameters=[TEAM],
        responses={201: MadeInvitationSerializer},
        description="Offer somebody to join, for 7 days. Send them the token, which is shown once.",
    ),
    destroy=extend_schema(tags=["teams"], parameters=[TEAM, ID], description="Take an offer back."),
)
documented_accept = extend_schema(
    tags=["teams"], responses=TeamSerializer, description="Take up an offer made to your address."
)
documented_keys = extend_schema_view(
    list=extend_schema(
        tags=["api keys"], description="Your keys of the team; for its admins, everybody's."
    ),
    create=extend_schema(
        tags=["api keys"],
        responses={201: MadeApiKeySerializer},
        description="Make a key, for yourself or a service account. The secret is shown once.",
    ),
    retrieve=extend_schema(tags=["api keys"], parameters=[ID], description="One of them."),
    destroy=extend_schema(
        tags=["api keys"], parameters=[ID], description="Revoke a key: it is good no more."
    ),
)

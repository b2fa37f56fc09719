"""Below ``/api/v1/``."""

from __future__ import annotations

from typing import Any

from django.urls import re_path

from accounts.api import schema  # noqa: F401  makes itself known to drf-spectacular
from accounts.api.keys import ApiKeyViewSet
from accounts.api.teams import (
    AcceptView,
    InvitationViewSet,
    MemberViewSet,
    ServiceAccountViewSet,
    TeamViewSet,
)
from accounts.api.views import LoginView, LogoutView, MeView, RefreshView, RegisterView

TEAM = r"^teams/(?P<team>[^/]+)"
MANY: dict[str, Any] = {"get": "list", "post": "create"}
SOME: dict[str, Any] = {"get": "list"}
ONE: dict[str, Any] = {"get": "retrieve", "patch": "partial_update", "delete": "destroy"}
FIXED: dict[str, Any] = {"get": "retrieve", "delete": "destroy"}

urlpatterns = [
    re_path(r"^auth/register/?$", RegisterView.as_view(), name="register"),
    re_path(r"^auth/login/?$", LoginView.as_view(), name="login"),
    re_path(r"^auth/refresh/?$", RefreshView.as_view(), name="refresh"),
    re_path(r"^auth/logout/?$", LogoutView.as_view(), name="logout"),
    re_path(r"^auth/me/?$", MeView.as_view(), name="me"),
    re_path(r"^teams/?$", TeamViewSet.as_view(MANY), name="teams"),
    re_path(TEAM + r"/?$", TeamViewSet.as_view(ONE), name="team"),
    re_path(TEAM + r"/members/?$", MemberViewSet.as_view(SOME), name="members"),
    re_path(TEAM + r"/members/(?P<user>[^/]+)/?$", MemberViewSet.as_view(ONE)),
    re_path(TEAM + r"/service-accounts/?$", ServiceAccountViewSet.as_view(MANY)),
    re_path(TEAM + r"/service-accounts/(?P<user>[^/]+)/?$", ServiceAccountViewSet.as_view(FIXED)),
    re_path(TEAM + r"/invitations/?$", InvitationViewSet.as_view(MANY), name="invitations"),
    re_path(
        TEAM + r"/invitations/(?P<id>[^/]+)/?$", InvitationViewSet.as_view({"delete": "destroy"})
    ),
    re_path(r"^invitations/accept/?$", AcceptView.as_view(), name="invitation-accept"),
    re_path(r"^api-keys/?$", ApiKeyViewSet.as_view(MANY), name="api-keys"),
    re_path(r"^api-keys/(?P<id>[^/]+)/?$", ApiKeyViewSet.as_view(FIXED), name="api-key"),
]

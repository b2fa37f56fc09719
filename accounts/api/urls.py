"""Below ``/api/v1/``."""

from __future__ import annotations

from django.urls import re_path

from accounts.api import schema  # noqa: F401  makes itself known to drf-spectacular
from accounts.api.views import LoginView, LogoutView, MeView, RefreshView, RegisterView

urlpatterns = [
    re_path(r"^auth/register/?$", RegisterView.as_view(), name="register"),
    re_path(r"^auth/login/?$", LoginView.as_view(), name="login"),
    re_path(r"^auth/refresh/?$", RefreshView.as_view(), name="refresh"),
    re_path(r"^auth/logout/?$", LogoutView.as_view(), name="logout"),
    re_path(r"^auth/me/?$", MeView.as_view(), name="me"),
]

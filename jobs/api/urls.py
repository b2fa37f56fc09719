"""Paths of jobs, schedules and limits, below /api/v1; a trailing slash is accepted."""

from __future__ import annotations

from django.urls import re_path
from rest_framework.routers import SimpleRouter

from jobs.api.limits import LimitViewSet
from jobs.api.views import JobViewSet, PreviewView

router = SimpleRouter()
router.trailing_slash = "/?"
router.register("jobs", JobViewSet, basename="job")
router.register("limits", LimitViewSet, basename="limit")

urlpatterns = [
    *router.urls,
    re_path("^schedules/preview/?$", PreviewView.as_view(), name="schedule-preview"),
]

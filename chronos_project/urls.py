"""The whole URL map. Every address is good with and without a slash at its end."""

from __future__ import annotations

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path, re_path
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularAPIView, SpectacularRedocView, SpectacularSwaggerView

from chronos_project import flower
from chronos_project.health import HealthView, LiveView
from chronos_project.metrics import MetricsView
from chronos_project.root import RootView
from executions.api.views.short import InfoView, RunView, StatusView

urlpatterns: list[URLPattern | URLResolver] = [
    re_path(r"^$", RedirectView.as_view(pattern_name="admin:index"), name="home"),
    re_path(r"^admin$", RedirectView.as_view(pattern_name="admin:index")),
    path("admin/", admin.site.urls),
    re_path(r"^flower(?:/(?P<path>.*))?$", flower.proxy, name="flower"),
    # The API
    re_path(r"^api/v1/?$", RootView.as_view(), name="api-root"),
    re_path(r"^api/v1/info/?$", InfoView.as_view()),
    re_path(r"^api/v1/health/live/?$", LiveView.as_view()),
    re_path(r"^api/v1/health/?$", HealthView.as_view()),
    re_path(r"^api/v1/health/ready/?$", HealthView.as_view()),
    path("api/v1/", include("accounts.api.urls")),
    path("api/v1/", include("jobs.api.urls")),
    path("api/v1/", include("executions.api.urls")),
    path("api/v1/", include("executions.api.queue_urls")),
    # Its short forms
    re_path(r"^run/?$", RunView.as_view(), name="run"),
    re_path(r"^status/?$", StatusView.as_view(), name="status"),
    re_path(r"^info/?$", InfoView.as_view(), name="info"),
    # What it says of itself
    re_path(r"^api/schema/?$", SpectacularAPIView.as_view(), name="schema"),
    re_path(r"^api/docs/?$", SpectacularSwaggerView.as_view(), name="docs"),
    re_path(r"^api/redoc/?$", SpectacularRedocView.as_view(template_name="api/redoc.html")),
    re_path(r"^swagger-ui\.html$", RedirectView.as_view(pattern_name="docs")),
    re_path(r"^v3/api-docs/?$", RedirectView.as_view(url="/api/schema?format=json")),
    path("", include("chronos_project.problem_pages")),
    path("", include("chronos_project.reason_page")),
    # How it does
    re_path(r"^health/live/?$", LiveView.as_view(), name="health-live"),
    re_path(r"^health/ready/?$", HealthView.as_view()),
    re_path(r"^health/?$", HealthView.as_view(), name="health"),
    re_path(r"^actuator/health/?$", HealthView.as_view()),
    re_path(r"^metrics/?$", MetricsView.as_view(), name="metrics"),
    re_path(r"^actuator/prometheus/?$", MetricsView.as_view()),
]

"""The addresses of queues below ``/api/v1``."""

from __future__ import annotations

from django.urls import re_path

from executions.api.views.queues import QueueViewSet

ONE = r"^queues/(?P<name>[^/]+)"

urlpatterns = [
    re_path(r"^queues/?$", QueueViewSet.as_view({"get": "list", "post": "create"}), name="queues"),
    re_path(
        ONE + r"/?$",
        QueueViewSet.as_view({"get": "retrieve", "patch": "partial_update"}),
        name="queue",
    ),
    re_path(ONE + r"/pause/?$", QueueViewSet.as_view({"post": "pause"})),
    re_path(ONE + r"/resume/?$", QueueViewSet.as_view({"post": "resume"})),
]

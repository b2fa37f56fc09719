"""The first page of the API: where everything is."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from lib.filters import StrictParameters

LINKS = [
    "auth/register",
    "auth/login",
    "auth/me",
    "teams",
    "api-keys",
    "jobs",
    "limits",
    "executions",
    "dashboard/stats",
    "info",
    "health",
]
LINKED = {"type": "object", "additionalProperties": {"type": "string", "format": "uri"}}


class RootView(StrictParameters, APIView):
    """The resources of this version; ``/api/docs`` tells what each of them takes."""

    permission_classes = [AllowAny]

    @extend_schema(
        tags=["platform"],
        responses={200: LINKED},
        auth=[],
    )
    def get(self, request: Request) -> Response:
        """List the resources."""
        here = request.build_absolute_uri(request.path).rstrip("/")
        return Response({name: f"{here}/{name}" for name in LINKS})

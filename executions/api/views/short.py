"""The short forms at the root: run something, ask how it went, ask what this is."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.generics import get_object_or_404
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse
from rest_framework.views import APIView

from accounts.access import team_of
from accounts.idempotent import IdempotentPosts
from accounts.models import Team
from accounts.permissions import RolePermission
from accounts.roles import Verb
from executions import builtin, clock, scheduler
from executions.api import waiting
from executions.api.bodies import RunSerializer
from executions.api.queries import StatusQuery, asked
from executions.api.serializers import InfoSerializer, KeySerializer, KeyStatusSerializer
from executions.models import FINISHED, Execution
from lib.filters import StrictParameters


class ShortFormPermission(RolePermission):
    """Like everywhere; and nobody in particular, where the setting allows it (development)."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        if settings.CHRONOS_ANONYMOUS_RUN and not request.user.is_authenticated:
            return True
        return super().has_permission(request, view)


def _team(request: Request) -> Team:
    return team_of(request) if request.user.is_authenticated else builtin.anonymous_team()


class RunView(IdempotentPosts, StrictParameters, APIView):
    """Run the built-in ``noop``: it returns its payload."""

    permission_classes = [ShortFormPermission]
    verbs = {"post": Verb.OPERATE}

    @extend_schema(
        tags=["short forms"],
        request=RunSerializer,
        responses={202: KeySerializer},
        examples=[OpenApiExample("nothing to say", {}, request_only=True)],
    )
    def post(self, request: Request) -> Response:
        """Run the built-in noop and say where to ask how it went. The body may be left out."""
        body = RunSerializer(data=request.data, context={"kind": builtin.NOOP})
        body.is_valid(raise_exception=True)
        now = clock.now()
        execution = scheduler.run_now(
            builtin.noop_job(_team(request), now=now),
            now=now,
            actor=str(request.user),
            payload=body.validated_data.get("payload"),
        )
        where = f"{reverse('status', request=request)}?key={execution.pk}"
        return Response(
            {"key": execution.pk, "status_url": where}, status=202, headers={"Location": where}
        )


class StatusView(StrictParameters, APIView):
    """How an execution stands, in few words."""

    permission_classes = [ShortFormPermission]
    parameters = StatusQuery().fields

    @extend_schema(
        tags=["short forms"], parameters=[StatusQuery], responses={200: KeyStatusSerializer}
    )
    def get(self, request: Request) -> Response:
        """Say how the execution with this key stands."""
        query = asked(request, StatusQuery)
        rows = Execution.objects.of_team(_team(request))
        execution = get_object_or_404(rows, pk=query["key"])
        if query["wait"] and execution.status not in FINISHED:
            waiting.wait_until_finished(execution.pk, seconds=float(query["wait"]))
            execution.refresh_from_db()
        return Response(KeyStatusSerializer(execution).data)


class InfoView(StrictParameters, APIView):
    """What this is, and where to go on."""

    permission_classes = [AllowAny]

    @extend_schema(tags=["platform"], responses=InfoSerializer, auth=[])
    def get(self, request: Request) -> Response:
        """Say what this is, what time it is here, and where to go on."""
        links: dict[str, Any] = {
            "api": "api-root",
            "docs": "docs",
            "schema": "schema",
            "health": "health",
            "admin": "admin:index",
        }
        return Response(
            {
                "name": "Chronos",
                "version": settings.CHRONOS_VERSION,
                "time": datetime.now(UTC),
                "links": {name: reverse(view, request=request) for name, view in links.items()},
            }
        )

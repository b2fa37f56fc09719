"""Whether the process is up, and whether all that it needs is there to do its work."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework import serializers, status
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.permissions import AllowAny
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response
from rest_framework.views import APIView

from chronos_project import probes

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rest_framework.parsers import BaseParser
    from rest_framework.renderers import BaseRenderer
    from rest_framework.request import Request

    from chronos_project.probes import Component


class AlwaysFirst(BaseContentNegotiation):
    """Answers in the one form there is, whatever is asked for: a probe must never get a 406."""

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> BaseParser | None:
        return next(iter(parsers), None)

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        renderer = next(iter(renderers))
        return renderer, renderer.media_type


class StatusSerializer(serializers.Serializer[Any]):
    status = serializers.ChoiceField(choices=["up", "down"])


class ComponentSerializer(StatusSerializer):
    detail = serializers.DictField(
        required=False, help_text="Only for staff: what was measured or went wrong."
    )


class HealthSerializer(StatusSerializer):
    components = serializers.DictField(child=ComponentSerializer())


class ProbeView(APIView):
    """For load balancers and supervisors: open to all, and no database before the answer."""

    permission_classes = [AllowAny]
    renderer_classes = [JSONRenderer]
    content_negotiation_class = AlwaysFirst

    def perform_authentication(self, request: Request) -> None:
        """Nobody is asked for unless the answer depends on it."""


class LiveView(ProbeView):
    """The process is up. Asks nobody else."""

    @extend_schema(tags=["platform"], responses=StatusSerializer, auth=[])
    def get(self, request: Request) -> Response:
        return Response({"status": "up"})


class HealthView(ProbeView):
    """Database, broker, scheduler, workers of both fleets, disk space: 503 when one is down."""

    @extend_schema(
        tags=["platform"],
        responses={
            200: HealthSerializer,
            503: OpenApiResponse(HealthSerializer, description="At least one component is down."),
        },
        examples=[
            OpenApiExample(
                "all is up",
                {"status": "up", "components": {"database": {"status": "up"}}},
                status_codes=["200"],
            )
        ],
        auth=[],
    )
    def get(self, request: Request) -> Response:
        components = probes.report()
        detailed = components["database"].up and _is_staff(request)
        healthy = all(component.up for component in components.values())
        response = Response(
            {
                "status": _word(healthy),
                "components": {
                    name: _shown(component, detailed=detailed)
                    for name, component in components.items()
                },
            },
            status=status.HTTP_200_OK if healthy else status.HTTP_503_SERVICE_UNAVAILABLE,
            headers={"Cache-Control": "no-store"},
        )
        response._has_been_logged = True  # type: ignore[attr-defined]  # no fault to log: an answer
        return response


def _shown(component: Component, *, detailed: bool) -> dict[str, Any]:
    shown: dict[str, Any] = {"status": _word(component.up)}
    return shown | {"detail": component.detail} if detailed else shown


def _word(up: bool) -> str:
    return "up" if up else "down"


def _is_staff(request: Request) -> bool:
    return bool(request.user.is_authenticated and request.user.is_staff)

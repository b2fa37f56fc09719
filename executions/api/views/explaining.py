"""Why: the explanation of an execution, and of a job at an instant."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.generics import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response

from executions import explain
from executions.api.explained import ExplanationSerializer, InstantSerializer
from executions.api.queries import AtQuery, asked
from executions.api.views.base import ExecutionsOfTeam, job_of


class ExplainViewSet(ExecutionsOfTeam):
    """Why an execution ran, when, late, twice or not at all."""

    @extend_schema(responses=ExplanationSerializer)
    def explain(self, request: Request, **kwargs: Any) -> Response:
        """Explain an execution: why it exists, when it ran, how it went, what comes next."""
        rows = self.get_queryset().select_related("job", "version", "schedule")
        execution = get_object_or_404(rows, pk=kwargs["id"])
        context = self.get_serializer_context()
        found = explain.explain(execution, now=context["now"])
        return Response(ExplanationSerializer(found, context=context).data)


class ExplainInstantViewSet(ExecutionsOfTeam):
    """Why a job ran at an instant, or did not, or what it will do then."""

    parameters = AtQuery().fields

    @extend_schema(tags=["jobs"], parameters=[AtQuery], responses=InstantSerializer)
    def explain(self, request: Request, **kwargs: Any) -> Response:
        """Explain what a job did at an instant, or will do."""
        job = job_of(request, kwargs["id"])
        at = asked(request, AtQuery)["at"]
        context = self.get_serializer_context()
        found = explain.explain_instant(job, at=at, now=context["now"])
        return Response(InstantSerializer(found, context=context).data)

"""Dead letters, one by one: list them, start one again, call one resolved."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.mixins import ListModelMixin
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.roles import Verb
from executions import clock, deadletters
from executions.api.bodies import RunAgainSerializer
from executions.api.failures import DeadLetterSerializer, NothingSerializer
from executions.api.filters import DeadLetterFilter
from executions.api.serializers import ExecutionDetailSerializer
from executions.api.views.base import ExecutionsOfTeam
from executions.api.views.executions import HEAVY
from executions.models.execution_queries import ExecutionQuerySet
from lib.keyset import KeysetPagination


@extend_schema(tags=["failures"])
class DeadLetterViewSet(ListModelMixin, ExecutionsOfTeam):
    """What failed for good and nobody has resolved, newest first."""

    serializer_class = DeadLetterSerializer
    filterset_class = DeadLetterFilter
    pagination_class = KeysetPagination
    verbs = {"redrive": Verb.OPERATE, "resolve": Verb.OPERATE}

    def get_queryset(self) -> ExecutionQuerySet:
        rows = super().get_queryset()
        return rows.dead().described().defer(*HEAVY) if self.action == "list" else rows

    @extend_schema(request=RunAgainSerializer, responses={202: ExecutionDetailSerializer})
    def redrive(self, request: Request, **kwargs: Any) -> Response:
        """Start the work of a dead letter again, as a new execution, and resolve it."""
        execution = self.get_object()
        body = RunAgainSerializer(data=request.data, context={"kind": execution.job.kind})
        body.is_valid(raise_exception=True)
        actor = str(request.user)
        return self.started(
            deadletters.redrive(execution, now=clock.now(), actor=actor, **body.validated_data)
        )

    @extend_schema(request=None, responses={200: ExecutionDetailSerializer})
    def resolve(self, request: Request, **kwargs: Any) -> Response:
        """Call a dead letter resolved: nothing more is to be done about it."""
        NothingSerializer(data=request.data).is_valid(raise_exception=True)
        execution = self.get_object()
        deadletters.resolve(execution, now=clock.now(), actor=str(request.user))
        return self.answer(execution.pk)

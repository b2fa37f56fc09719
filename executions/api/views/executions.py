"""Executions: list them, read one, cancel it, start its work again."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.generics import get_object_or_404
from rest_framework.mixins import ListModelMixin
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.roles import Verb
from executions import again, clock, transitions
from executions.api import waiting
from executions.api.bodies import CancelSerializer, RunAgainSerializer
from executions.api.filters import ExecutionFilter
from executions.api.queries import WaitQuery, asked
from executions.api.serializers import ExecutionDetailSerializer, ExecutionSerializer
from executions.api.views.base import ExecutionsOfTeam
from executions.models import Status
from executions.models.execution_queries import ExecutionQuerySet
from lib.keyset import KeysetPagination

HEAVY = ["payload", "result", "version__payload", "version__schedule"]


class ExecutionViewSet(ListModelMixin, ExecutionsOfTeam):
    """What happened and what is happening, newest first."""

    serializer_class = ExecutionSerializer
    filterset_class = ExecutionFilter
    pagination_class = KeysetPagination
    verbs = {"cancel": Verb.OPERATE, "retry": Verb.OPERATE}
    parameters = {"retrieve": WaitQuery().fields}

    def get_queryset(self) -> ExecutionQuerySet:
        rows = super().get_queryset()
        return rows.described().defer(*HEAVY) if self.action == "list" else rows

    @extend_schema(parameters=[WaitQuery], responses=ExecutionDetailSerializer)
    def retrieve(self, request: Request, **kwargs: Any) -> Response:
        """Read an execution with its attempts, events, input and result."""
        query = asked(request, WaitQuery)
        execution = self.get_object()
        waiting.wait_until_finished(execution.pk, seconds=float(query["wait"]))
        return self.answer(execution.pk)

    @extend_schema(
        request=None,
        responses={
            200: ExecutionDetailSerializer,
            202: OpenApiResponse(
                ExecutionDetailSerializer,
                description="It was running; its worker stops at the next renewal of its lease.",
            ),
        },
    )
    def cancel(self, request: Request, **kwargs: Any) -> Response:
        """Cancel an execution. One that is finished is a 409."""
        CancelSerializer(data=request.data).is_valid(raise_exception=True)
        with transaction.atomic():  # locked: whoever claims it waits, so this cannot come second
            rows = self.get_queryset().select_for_update(no_key=True)
            execution = get_object_or_404(rows, pk=kwargs["id"])
            was = execution.status
            transitions.cancel(execution, now=clock.now(), actor=str(request.user))
        return self.answer(execution.pk, status=202 if was == Status.RUNNING else 200)

    @extend_schema(request=RunAgainSerializer, responses={202: ExecutionDetailSerializer})
    def retry(self, request: Request, **kwargs: Any) -> Response:
        """Start the work of a failed or cancelled execution again, as a new execution."""
        execution = self.get_object()
        body = RunAgainSerializer(data=request.data, context={"kind": execution.job.kind})
        body.is_valid(raise_exception=True)
        actor = str(request.user)
        return self.started(
            again.run_again(execution, now=clock.now(), actor=actor, **body.validated_data)
        )

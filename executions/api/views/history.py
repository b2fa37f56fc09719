"""What happened to one execution: its attempts and its events."""

from __future__ import annotations

from django.db.models import QuerySet
from rest_framework.mixins import ListModelMixin

from executions.api.serializers import AttemptSerializer, EventSerializer
from executions.api.views.base import OfOneExecution
from executions.models import Attempt, ExecutionEvent


class AttemptViewSet(ListModelMixin, OfOneExecution[Attempt]):
    """The attempts of an execution, the first one first."""

    queryset = Attempt.objects.all()
    serializer_class = AttemptSerializer

    def get_queryset(self) -> QuerySet[Attempt]:
        return Attempt.objects.filter(execution=self.execution()).order_by("number")


class EventViewSet(ListModelMixin, OfOneExecution[ExecutionEvent]):
    """What attempts cannot tell: who asked for it, cancelled it, started it again."""

    queryset = ExecutionEvent.objects.all()
    serializer_class = EventSerializer

    def get_queryset(self) -> QuerySet[ExecutionEvent]:
        return ExecutionEvent.objects.filter(execution=self.execution()).order_by("id")

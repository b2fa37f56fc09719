"""What the views of executions share: whose they are, how one is found and answered."""

from __future__ import annotations

from typing import Any, TypeVar
from uuid import UUID

from django.db.models import Model
from django.http import Http404
from rest_framework.generics import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse
from rest_framework.viewsets import GenericViewSet

from accounts.access import team_of, verbs_of
from accounts.idempotent import IdempotentPosts
from accounts.roles import Verb
from executions import clock
from executions.api.accepted import accepted, is_as_stored
from executions.api.moment import one_moment
from executions.api.serializers import ExecutionDetailSerializer
from executions.models import Execution
from executions.models.execution_queries import ExecutionQuerySet
from jobs import by_key
from jobs.models import Job
from lib.filters import StrictFilterBackend, StrictParameters

M = TypeVar("M", bound=Model)


class ExecutionsOfTeam(IdempotentPosts, StrictParameters, GenericViewSet[Execution]):
    """Executions of the caller's team; another team's do not exist."""

    queryset = Execution.objects.all()
    filter_backends = [StrictFilterBackend]
    lookup_url_kwarg = "id"

    def get_queryset(self) -> ExecutionQuerySet:
        return Execution.objects.of_team(team_of(self.request)).order_by("-pk")

    def get_serializer_context(self) -> dict[str, Any]:
        may_operate = Verb.OPERATE in verbs_of(self.request)
        given = super().get_serializer_context()
        return {**given, "now": clock.now(), "may_operate": may_operate}

    def answer(
        self, execution_id: UUID, *, status: int = 200, headers: dict[str, str] | None = None
    ) -> Response:
        """Answer with an execution and its history as they are at this moment."""
        rows = self.get_queryset().described().prefetch_related("attempts", "events")
        context = self.get_serializer_context()
        with one_moment():
            execution = get_object_or_404(rows, pk=execution_id)
            shown = ExecutionDetailSerializer(execution, context=context).data
        return Response(shown, status=status, headers=headers)

    def started(self, execution: Execution) -> Response:
        """Answer that ``execution``, which is new, has been accepted, and where it is found."""
        where = reverse("execution", args=[execution.pk], request=self.request)
        headers = {"Location": where}
        if not is_as_stored(execution):
            return self.answer(execution.pk, status=202, headers=headers)
        shown = accepted(execution, self.get_serializer_context())
        return Response(shown, status=202, headers=headers)


def job_of(request: Request, key: str) -> Job:
    """Return the job of the caller's team with the id, or the slug, ``key``; else 404."""
    job = by_key.find(team_of(request), key)
    if job is None:
        raise Http404
    return job


class OfOneExecution(StrictParameters, GenericViewSet[M]):
    """A part of one execution of the caller's team."""

    def execution(self) -> Execution:
        executions = Execution.objects.of_team(team_of(self.request))
        return get_object_or_404(executions, pk=self.kwargs["id"])

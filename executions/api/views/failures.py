"""What failed for good, by cause; and starting a whole group of it again."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from django.http import Http404
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.generics import get_object_or_404
from rest_framework.mixins import ListModelMixin
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse
from rest_framework.viewsets import GenericViewSet

from accounts.access import team_of
from accounts.idempotent import IdempotentPosts
from accounts.roles import Verb
from executions import causes, clock, deadletters, redrives
from executions.api.failures import (
    FailureDetailSerializer,
    FailureSerializer,
    NothingSerializer,
    RedriveGroupSerializer,
    RedriveSerializer,
    ResolvedSerializer,
)
from executions.models import Execution, Redrive
from executions.models.execution_queries import ExecutionQuerySet
from lib.filters import StrictParameters

FINGERPRINT = re.compile(r"[0-9a-f]{32}", re.ASCII)
MOST_RESOLVED = 5000  # at once
KEY = OpenApiParameter("fingerprint", str, OpenApiParameter.PATH, pattern="^[0-9a-f]{32}$")


@extend_schema(tags=["failures"])
class FailureViewSet(IdempotentPosts, StrictParameters, ListModelMixin, GenericViewSet[Any]):
    """Dead letters grouped by what caused them, the newest cause first."""

    queryset = Execution.objects.none()
    serializer_class = FailureSerializer
    verbs = {"redrive": Verb.OPERATE, "resolve": Verb.OPERATE}

    def executions(self) -> ExecutionQuerySet:
        return Execution.objects.of_team(team_of(self.request))

    def get_queryset(self) -> Any:
        return causes.groups([team_of(self.request).pk])

    def paginate_queryset(self, queryset: Any) -> Any:
        return causes.described(super().paginate_queryset(queryset) or [], now=clock.now())

    @extend_schema(parameters=[KEY], responses=FailureDetailSerializer)
    def retrieve(self, request: Request, **kwargs: Any) -> Response:
        """Read a cause with the trace of its newest dead letter and its newest redrive."""
        key = self._fingerprint()
        found = [one for one in self.get_queryset() if one.fingerprint == causes.stored(key)]
        for cause in causes.described(found, now=clock.now()):
            made = Redrive.objects.of_team(team_of(request)).filter(fingerprint=key)
            shown = replace(cause, redrive=made.select_related("team").order_by("-pk").first())
            return Response(FailureDetailSerializer(shown).data)
        raise Http404

    @extend_schema(
        parameters=[KEY],
        request=RedriveGroupSerializer,
        responses={
            200: OpenApiResponse(RedriveSerializer, description="What a dry run would do."),
            202: RedriveSerializer,
        },
        examples=[
            OpenApiExample("with care", {"mode": "canary", "rate": 5}, request_only=True),
        ],
    )
    def redrive(self, request: Request, **kwargs: Any) -> Response:
        """Start the dead letters of a cause again: all, or one, then ten, then the rest."""
        body = RedriveGroupSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        wish, now = body.validated_data, clock.now()
        planned = redrives.plan(
            team_of(request),
            self._fingerprint(),
            mode=Redrive.Mode(wish["mode"]),
            rate=wish["rate"],
            now=now,
            actor=str(request.user),
        )
        if planned is None:
            raise Http404
        if wish["dry_run"]:
            return Response(RedriveSerializer(planned).data)
        begun = redrives.start(planned, now=now)
        where = reverse("redrive", args=[begun.pk], request=request)
        return Response(RedriveSerializer(begun).data, status=202, headers={"Location": where})

    @extend_schema(parameters=[KEY], request=None, responses={200: ResolvedSerializer})
    def resolve(self, request: Request, **kwargs: Any) -> Response:
        """Call all dead letters of a cause resolved, 5000 at a time."""
        NothingSerializer(data=request.data).is_valid(raise_exception=True)
        dead = causes.dead_of(self.executions(), self._fingerprint())
        actor = str(request.user)
        done = deadletters.resolve_all(dead, now=clock.now(), actor=actor, limit=MOST_RESOLVED)
        left = dead.count()
        if not done and not left:
            raise Http404
        return Response({"resolved": done, "left": left})

    def _fingerprint(self) -> str:
        key: str = self.kwargs["fingerprint"]
        if not FINGERPRINT.fullmatch(key):
            raise Http404
        return key


@extend_schema(tags=["failures"])
class RedriveViewSet(IdempotentPosts, StrictParameters, GenericViewSet[Redrive]):
    """Groups of dead letters that are being started again."""

    queryset = Redrive.objects.all()
    serializer_class = RedriveSerializer
    lookup_url_kwarg = "id"
    verbs = {"stop": Verb.OPERATE}

    def retrieve(self, request: Request, **kwargs: Any) -> Response:
        """Read how far a redrive has come."""
        return Response(RedriveSerializer(self._redrive()).data)

    @extend_schema(request=None, responses={200: RedriveSerializer})
    def stop(self, request: Request, **kwargs: Any) -> Response:
        """Start no more of it; what was started goes on. Repeating it changes nothing."""
        NothingSerializer(data=request.data).is_valid(raise_exception=True)
        redrive = self._redrive()
        redrives.stop(redrive, now=clock.now(), actor=str(request.user))
        return Response(RedriveSerializer(redrive).data)

    def _redrive(self) -> Redrive:
        rows = Redrive.objects.of_team(team_of(self.request)).select_related("team")
        return get_object_or_404(rows, pk=self.kwargs["id"])

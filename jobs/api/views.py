"""Endpoints of jobs, and of schedules that nobody has saved yet."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from django.http import Http404
from django.shortcuts import get_object_or_404
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.generics import GenericAPIView
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from accounts.access import team_of
from accounts.idempotent import IdempotentPosts
from accounts.roles import Verb
from jobs import bodies, definitions, host, slugs
from jobs.api.filters import JobFilter
from jobs.api.rehearsal import rehearsal
from jobs.api.schema import documented_jobs, documented_preview
from jobs.models import Job
from jobs.serializers import (
    JobFormSerializer,
    JobSerializer,
    PauseSerializer,
    PreviewedSerializer,
    PreviewSerializer,
    RestoreSerializer,
    ResumeSerializer,
    WrittenJobSerializer,
)
from jobs.triggers.preview import MOST, preview
from lib.faults import ParameterError, fault
from lib.filters import StrictParameters

if TYPE_CHECKING:
    from rest_framework.request import Request
    from rest_framework.serializers import BaseSerializer

    from accounts.models import User
    from jobs.models import JobQuerySet


COUNT = re.compile(r"[0-9]{1,3}", re.ASCII)


@documented_jobs
class JobViewSet(
    IdempotentPosts, StrictParameters, ListModelMixin, RetrieveModelMixin, GenericViewSet[Job]
):
    """The jobs of the team. ``id`` in a path is an id or the slug of a job that is kept."""

    queryset = Job.objects.all()
    serializer_class = JobSerializer
    filterset_class = JobFilter
    lookup_url_kwarg = "id"
    lookup_value_regex = "[^/]+"
    verbs = {"pause": Verb.OPERATE, "resume": Verb.OPERATE}
    parameters = {
        "create": ["dry_run"],
        "update": ["dry_run"],
        "partial_update": ["dry_run"],
        "next_runs": ["count"],
    }

    def get_queryset(self) -> JobQuerySet:
        return Job.objects.of_team(team_of(self.request)).described().order_by("-pk")

    def get_object(self) -> Job:
        key = self.kwargs["id"]
        if slugs.UUID.fullmatch(key):
            return get_object_or_404(self.get_queryset(), pk=key)
        if not slugs.is_valid(key):
            raise Http404
        return get_object_or_404(self.get_queryset().kept(), slug=key)

    def get_serializer_class(self) -> type[BaseSerializer[Job]]:
        if self.action in ("update", "partial_update"):
            return JobFormSerializer
        return super().get_serializer_class()

    def get_serializer_context(self) -> dict[str, Any]:
        return {**super().get_serializer_context(), "now": host.now()}

    def create(self, request: Request) -> Response:
        with rehearsal(request) as is_dry:
            context = self.get_serializer_context() | {"team": team_of(request)}
            serializer = JobSerializer(data=request.data, context=context)
            serializer.is_valid(raise_exception=True)
            body, actor, now = serializer.validated_data, _actor(request), context["now"]
            job = definitions.create(team_of(request), body, actor=actor, now=now)
            answer = _written(job, serializer)
        if is_dry:
            return Response(answer)
        location = {"Location": answer["links"]["self"]}
        return Response(answer, status=status.HTTP_201_CREATED, headers=location)

    def update(self, request: Request, **_kwargs: Any) -> Response:
        return self._change(request, partial=False)

    def partial_update(self, request: Request, **_kwargs: Any) -> Response:
        return self._change(request, partial=True)

    def destroy(self, request: Request, **_kwargs: Any) -> Response:
        definitions.archive(self.get_object(), now=host.now(), actor=_actor(request))
        return Response(status=status.HTTP_204_NO_CONTENT)

    @action(detail=True, methods=["post"], serializer_class=RestoreSerializer)
    def restore(self, request: Request, **_kwargs: Any) -> Response:
        job = self.get_object()
        self._checked(request)
        definitions.restore(job, now=host.now(), actor=_actor(request))
        return self._shown(job)

    @action(detail=True, methods=["post"], serializer_class=PauseSerializer)
    def pause(self, request: Request, **_kwargs: Any) -> Response:
        job = self.get_object()
        definitions.pause(job, now=host.now(), actor=_actor(request), **self._checked(request))
        return self._shown(job)

    @action(detail=True, methods=["post"], serializer_class=ResumeSerializer)
    def resume(self, request: Request, **_kwargs: Any) -> Response:
        job = self.get_object()
        definitions.resume(job, now=host.now(), actor=_actor(request), **self._checked(request))
        return self._shown(job)

    @action(detail=True, url_path="next-runs", serializer_class=PreviewedSerializer)
    def next_runs(self, request: Request, **_kwargs: Any) -> Response:
        shown = self.get_object().schedule.preview(host.now(), count=_count(request))
        return Response(self.get_serializer(shown).data)

    def _change(self, request: Request, *, partial: bool) -> Response:
        """The job is locked before the body is read: what is validated is what gets changed."""
        with rehearsal(request):
            job = self.get_object()
            definitions.lock(job)
            context = self.get_serializer_context() | {"team": job.team}
            serializer = JobSerializer(job, data=request.data, partial=partial, context=context)
            serializer.is_valid(raise_exception=True)
            body, actor, now = serializer.validated_data, _actor(request), context["now"]
            definitions.change(job, body, actor=actor, now=now)
            return Response(_written(job, serializer))

    def _checked(self, request: Request) -> dict[str, Any]:
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        return dict(serializer.validated_data)

    def _shown(self, job: Job) -> Response:
        return Response(JobSerializer(job, context=self.get_serializer_context()).data)


class PreviewView(IdempotentPosts, StrictParameters, GenericAPIView[Job]):
    """What a schedule would do, before anybody saves it."""

    serializer_class = PreviewSerializer
    verbs = {"post": Verb.VIEW}

    def get_serializer_context(self) -> dict[str, Any]:
        return {**super().get_serializer_context(), "now": host.now()}

    @documented_preview
    def post(self, request: Request) -> Response:
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        now, wanted = serializer.context["now"], serializer.validated_data
        spec = bodies.settled(wanted["schedule"], now=now, anchor=None)
        shown = preview(spec, now=now, count=wanted["count"])
        return Response(PreviewedSerializer(shown).data)


def _written(job: Job, serializer: JobSerializer) -> dict[str, Any]:
    context = {**serializer.context, "warnings": serializer.warnings}
    return dict(WrittenJobSerializer(job, context=context).data)


def _count(request: Request) -> int:
    text = request.query_params.get("count", "5")
    if not COUNT.fullmatch(text) or not 1 <= int(text) <= MOST:
        words = fault(f"This must be a whole number from 1 to {MOST}.", "count_invalid")
        raise ParameterError({"count": [words]})
    return int(text)


def _actor(request: Request) -> User:
    assert request.user.is_authenticated  # noqa: S101  the permission has seen to it
    return request.user

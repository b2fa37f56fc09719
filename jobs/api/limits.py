"""Endpoints of the limits that the jobs of a team share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.http import Http404
from django.shortcuts import get_object_or_404
from rest_framework import status
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.response import Response
from rest_framework.reverse import reverse
from rest_framework.viewsets import GenericViewSet

from accounts.access import team_of, user_of
from accounts.idempotent import IdempotentPosts
from jobs import host, limits, slugs
from jobs.api.rehearsal import rehearsal
from jobs.api.schema import documented_limits
from jobs.models import Limit
from jobs.serializers.limit import LimitFormSerializer, LimitSerializer
from lib.filters import StrictParameters

if TYPE_CHECKING:
    from rest_framework.request import Request
    from rest_framework.serializers import BaseSerializer

    from jobs.models import LimitQuerySet


@documented_limits
class LimitViewSet(
    IdempotentPosts, StrictParameters, ListModelMixin, RetrieveModelMixin, GenericViewSet[Limit]
):
    """The limits of the team. ``id`` in a path is the id of a limit, or its name."""

    queryset = Limit.objects.all()
    serializer_class = LimitSerializer
    lookup_url_kwarg = "id"
    lookup_value_regex = "[^/]+"
    parameters = {"create": ["dry_run"], "partial_update": ["dry_run"], "destroy": ["dry_run"]}

    def get_queryset(self) -> LimitQuerySet:
        return Limit.objects.of_team(team_of(self.request)).kept().order_by("name")

    def get_object(self) -> Limit:
        key = self.kwargs["id"]
        if slugs.UUID.fullmatch(key):
            return get_object_or_404(self.get_queryset(), pk=key)
        if not slugs.is_valid(key):
            raise Http404
        return get_object_or_404(self.get_queryset(), name=key)

    def get_serializer_class(self) -> type[BaseSerializer[Limit]]:
        if self.action == "partial_update":
            return LimitFormSerializer
        return super().get_serializer_class()

    def create(self, request: Request) -> Response:
        serializer = LimitSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        with rehearsal(request) as is_dry:
            limit = limits.create(
                team_of(request), serializer.validated_data, actor=user_of(request), now=host.now()
            )
        answer = LimitSerializer(limit).data
        if is_dry:
            return Response(answer)
        location = {"Location": reverse("limit-detail", [limit.pk], request=request)}
        return Response(answer, status=status.HTTP_201_CREATED, headers=location)

    def partial_update(self, request: Request, **_kwargs: Any) -> Response:
        with rehearsal(request):
            limit = self.get_object()
            serializer = LimitSerializer(limit, data=request.data, partial=True)
            serializer.is_valid(raise_exception=True)
            limits.change(limit, serializer.validated_data, actor=user_of(request))
        return Response(LimitSerializer(limit).data)

    def destroy(self, request: Request, **_kwargs: Any) -> Response:
        with rehearsal(request):
            limits.archive(self.get_object(), now=host.now(), actor=user_of(request))
        return Response(status=status.HTTP_204_NO_CONTENT)

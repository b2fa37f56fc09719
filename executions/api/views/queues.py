"""Queues: how full they are, their bounds, pause and resume."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework.exceptions import PermissionDenied
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.response import Response
from rest_framework.reverse import reverse
from rest_framework.viewsets import GenericViewSet

from accounts.idempotent import IdempotentPosts
from executions import clock, queues
from executions.api.failures import NothingSerializer
from executions.api.queues import NewQueueSerializer, QueueChangeSerializer, QueueSerializer
from executions.depths import depths
from executions.models import Queue
from jobs.serializers import PauseSerializer
from lib.filters import StrictParameters

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rest_framework.request import Request
    from rest_framework.views import APIView

NAME = OpenApiParameter("name", str, OpenApiParameter.PATH, description="The name of a queue.")


class MayManageQueues(BasePermission):
    """Queues are everybody's: whoever signs in reads them; to change them takes the right that the
    admin asks for as well."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        user = request.user
        if not user.is_authenticated:
            return False
        if request.method in SAFE_METHODS:
            return True
        verb = "add" if getattr(view, "action", "") == "create" else "change"
        if user.is_staff and user.has_perm(f"executions.{verb}_queue"):
            return True
        raise PermissionDenied("Queues are everybody's; only operators of the platform do this.")


@extend_schema(tags=["queues"])
class QueueViewSet(IdempotentPosts, StrictParameters, GenericViewSet[Queue]):
    """The lines in which executions wait for workers."""

    queryset = Queue.objects.order_by("name")
    serializer_class = QueueSerializer
    permission_classes = [MayManageQueues]
    lookup_field = lookup_url_kwarg = "name"

    @extend_schema(responses=QueueSerializer(many=True))
    def list(self, request: Request, **_kwargs: Any) -> Response:
        """List all queues by name, with how full they are."""
        page: list[Queue] = self.paginate_queryset(self.get_queryset()) or []
        return self.get_paginated_response(_described(page))

    @extend_schema(parameters=[NAME])
    def retrieve(self, request: Request, **_kwargs: Any) -> Response:
        """Read a queue: what waits in it, what runs, who serves it."""
        return self._shown(self.get_object())

    @extend_schema(
        request=NewQueueSerializer,
        responses={201: QueueSerializer},
        examples=[OpenApiExample("a queue", {"name": "mail", "concurrency": 20})],
    )
    def create(self, request: Request, **_kwargs: Any) -> Response:
        """Make a queue. Workers that run already serve it within seconds."""
        body = NewQueueSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        queue = queues.create(**body.validated_data, now=clock.now(), actor=str(request.user))
        where = reverse("queue", args=[queue.name], request=request)
        return self._shown(queue, status=201, headers={"Location": where})

    @extend_schema(parameters=[NAME], request=QueueChangeSerializer, responses=QueueSerializer)
    def partial_update(self, request: Request, **_kwargs: Any) -> Response:
        """Change a queue's bounds. What is in flight stays there."""
        queue = self.get_object()
        body = QueueChangeSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        queues.change(queue, body.validated_data, actor=str(request.user))
        return self._shown(queue)

    @extend_schema(parameters=[NAME], request=PauseSerializer, responses=QueueSerializer)
    def pause(self, request: Request, **_kwargs: Any) -> Response:
        """Let nothing of a queue start; what runs goes on. Repeating it is harmless."""
        queue, now = self.get_object(), clock.now()
        body = PauseSerializer(data=request.data, context={"now": now})
        body.is_valid(raise_exception=True)
        queues.pause(queue, now=now, actor=str(request.user), **body.validated_data)
        return self._shown(self.get_object())

    @extend_schema(parameters=[NAME], request=None, responses=QueueSerializer)
    def resume(self, request: Request, **_kwargs: Any) -> Response:
        """Start what waits in a queue again. Repeating it is harmless."""
        NothingSerializer(data=request.data).is_valid(raise_exception=True)
        queues.resume(self.get_object(), now=clock.now(), actor=str(request.user))
        return self._shown(self.get_object())

    def _shown(self, queue: Queue, **answer: Any) -> Response:
        return Response(_described([queue])[0], **answer)


def _described(shown: Sequence[Queue]) -> list[dict[str, Any]]:
    """Say all there is to say of queues, and count for all of them at once."""
    lines = depths(shown, now=clock.now())
    for queue in shown:
        queue.line = lines[queue.name]
    return [dict(QueueSerializer(queue).data) for queue in shown]

"""The output of one execution, in pages or as plain text."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from itertools import accumulate
from typing import Any

from django.db.models.functions import Length
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from executions.api.queries import LogQuery, asked
from executions.api.serializers import LogChunkSerializer, LogPageSerializer
from executions.api.views.base import OfOneExecution
from executions.models import FINISHED, LogChunk
from lib.browsable import PageRenderer

MAX_CHARACTERS = 1024 * 1024  # of a page; a single chunk may be as long


class OutputRenderer(BaseRenderer):
    """The output alone, as it was written; a problem stays JSON."""

    media_type = "text/plain"
    format = "txt"
    charset = "utf-8"

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> Any:
        if "results" not in data:
            return JSONRenderer().render(data)
        return "".join(chunk["text"] for chunk in data["results"])


class LogViewSet(OfOneExecution[LogChunk]):
    """What an execution wrote, in the order in which it was stored."""

    queryset = LogChunk.objects.all()
    serializer_class = LogPageSerializer
    pagination_class = None
    renderer_classes = [JSONRenderer, PageRenderer, OutputRenderer]
    parameters = {"read": LogQuery().fields}

    @extend_schema(
        parameters=[LogQuery],
        responses={
            (200, "application/json"): LogPageSerializer,
            (200, "text/plain"): OpenApiTypes.STR,
        },
    )
    def read(self, request: Request, **kwargs: Any) -> Response:
        """Read a page of output. A page ends after 1 MiB, even when ``limit`` asks for more."""
        query = asked(request, LogQuery)
        written = self.execution()
        chunks = LogChunk.objects.filter(execution=written, id__gt=query["after"]).order_by("id")
        if "stream" in query:
            chunks = chunks.filter(stream=query["stream"])
        sizes = chunks.annotate(size=Length("text")).values_list("size", flat=True)
        coming = list(sizes[: query["limit"] + 1])
        page = list(chunks[: _fitting(coming[: query["limit"]])])
        return Response(
            {
                "results": LogChunkSerializer(page, many=True).data,
                "next_after": page[-1].pk if page else query["after"],
                "has_more": len(coming) > len(page),
                "truncated": any(chunk.omitted for chunk in page),
                "finished": written.status in FINISHED,
            }
        )


def _fitting(sizes: list[int]) -> int:
    """Return how many chunks of these sizes make a page: at least one, if there is one."""
    return max(bisect_right(list(accumulate(sizes)), MAX_CHARACTERS), min(len(sizes), 1))

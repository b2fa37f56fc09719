"""Starting a job by hand."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.roles import Verb
from executions import clock, scheduler
from executions.api.bodies import ExecuteSerializer
from executions.api.serializers import ExecutionDetailSerializer
from executions.api.views.base import ExecutionsOfTeam, job_of


class ExecuteViewSet(ExecutionsOfTeam):
    """Run a job apart from its schedule."""

    serializer_class = ExecuteSerializer
    verbs = {"execute": Verb.OPERATE}

    @extend_schema(
        tags=["jobs"],
        request=ExecuteSerializer,
        responses={202: ExecutionDetailSerializer},
        examples=[
            OpenApiExample("now, as it is defined", {}, request_only=True),
            OpenApiExample(
                "later, with another input",
                {
                    "payload": {"template": "weekly_digest"},
                    "run_at": "2027-12-25T10:00:00Z",
                    "priority": "high",
                    "reason": "the mail of last week was empty",
                },
                request_only=True,
            ),
        ],
    )
    def execute(self, request: Request, **kwargs: Any) -> Response:
        """Start the job, now or later. The body may be left out."""
        job = job_of(request, kwargs["id"])
        now = clock.now()
        body = ExecuteSerializer(data=request.data, context={"kind": job.kind, "now": now})
        body.is_valid(raise_exception=True)
        return self.started(
            scheduler.run_now(job, now=now, actor=str(request.user), **body.validated_data)
        )

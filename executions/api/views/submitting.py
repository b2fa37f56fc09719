"""Starting a job many times with one request."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import user_of
from accounts.roles import Verb
from executions import clock
from executions.api import submitting
from executions.api.bodies import SubmitSerializer
from executions.api.queries import SubmitQuery, asked
from executions.api.submitted import SubmittedSerializer, submitted
from executions.api.views.base import job_of
from executions.api.views.executions import ExecutionViewSet
from executions.models.execution_queries import ExecutionQuerySet
from executions.submissions import Submission
from lib.ndjson import MEDIA_TYPE, LinesParser
from lib.strict_json import StrictJSONParser


class ExecutionsOfJobViewSet(ExecutionViewSet):
    """The executions of one job, newest first; new ones are added by the list."""

    verbs = {"submit": Verb.OPERATE}
    parameters = {"submit": SubmitQuery().fields}
    parser_classes = [StrictJSONParser, LinesParser]

    def get_queryset(self) -> ExecutionQuerySet:
        return super().get_queryset().filter(job=job_of(self.request, self.kwargs["id"]))

    @extend_schema(
        tags=["jobs"],
        parameters=[SubmitQuery],
        request={"application/json": SubmitSerializer(many=True), MEDIA_TYPE: SubmitSerializer},
        responses={202: SubmittedSerializer},
        examples=[
            OpenApiExample(
                "three, one of them later",
                [
                    {"payload": {"user": 1}, "idempotency_key": "mail-1"},
                    {"payload": {"user": 2}, "idempotency_key": "mail-2"},
                    {"payload": {"user": 3}, "run_at": "2027-12-25T10:00:00Z"},
                ],
                request_only=True,
                media_type="application/json",
            )
        ],
    )
    def submit(self, request: Request, **kwargs: Any) -> Response:
        """Start the job many times. All of the starts are good, or none is made.

        With `partial` those are made that are good. The body is a list of what a single start
        takes, or has one on each line.
        """
        partial = asked(request, SubmitQuery)["partial"]
        job = job_of(request, kwargs["id"])
        now = clock.now()
        submission = Submission(job, now=now)
        reading = submitting.read(request.data, submission, job=job, now=now)
        if reading.faults and not (partial and any(reading.ids)):
            raise ValidationError(reading.faults)
        with transaction.atomic():
            scope = f"user {user_of(request).pk}"
            known = submission.store(actor=str(request.user), scope=scope)
            answer = submitted(reading, known, partial=partial)
        return Response(answer, status=202)

"""What the API's documentation says about jobs, schedules and limits."""

from __future__ import annotations

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    OpenApiResponse,
    extend_schema,
    extend_schema_view,
)

from jobs.serializers import (
    JobSerializer,
    PauseSerializer,
    PreviewedSerializer,
    PreviewSerializer,
    ResumeSerializer,
    WrittenJobSerializer,
)
from jobs.serializers.limit import LimitSerializer
from jobs.triggers.preview import MOST

ID = OpenApiParameter(
    "id", OpenApiTypes.STR, OpenApiParameter.PATH, description="The id of a job, or its slug."
)
DRY_RUN = OpenApiParameter(
    "dry_run",
    OpenApiTypes.BOOL,
    description="Check and answer as always, with the next runs and warnings, and change nothing.",
)
COUNT = OpenApiParameter("count", {"type": "integer", "minimum": 1, "maximum": MOST, "default": 5})
SPELLINGS = [
    OpenApiExample(
        "The canonical spelling",
        request_only=True,
        value={
            "name": "Daily report",
            "kind": "http",
            "payload": {"url": "https://example.org/report", "method": "POST"},
            "schedule": {"type": "cron", "cron": "0 12 * * *", "timezone": "Europe/Berlin"},
            "retry": {"max_attempts": 3, "strategy": "exponential", "base_seconds": 60},
            "policy": {"timeout_seconds": 300, "overlap": "skip", "misfire": "latest"},
            "tags": ["finance"],
        },
    ),
    OpenApiExample(
        "The flat spelling",
        request_only=True,
        value={
            "name": "Weekly Newsletter",
            "description": "Send newsletter every Monday",
            "job_type": "recurring",
            "schedule_type": "cron",
            "cron_expression": "0 9 * * 1",
            "payload": {"template": "weekly_digest"},
        },
    ),
    OpenApiExample(
        "The nested spelling",
        request_only=True,
        value={
            "name": "Sample HTTP Job",
            "type": "HTTP",
            "schedule": {"type": "ONCE", "runAt": "2027-12-25T10:00:00Z"},
            "payload": {"httpUrl": "https://example.org/get", "httpMethod": "GET"},
            "retryPolicy": {
                "maxAttempts": 3,
                "backoffStrategy": "EXPONENTIAL",
                "backoffSeconds": 60,
            },
        },
    ),
]
SCHEDULES = [
    OpenApiExample(
        "In a time zone",
        request_only=True,
        value={"type": "cron", "cron": "30 2 * * *", "timezone": "Europe/Berlin", "count": 3},
    ),
    OpenApiExample(
        "In the flat spelling",
        request_only=True,
        value={"schedule_type": "interval", "interval_seconds": 90},
    ),
]
LIMITS = [
    OpenApiExample(
        "Three at once, ten a minute, for each customer",
        request_only=True,
        value={
            "name": "partner-api",
            "by": "customer",
            "concurrency": 3,
            "rate": 10,
            "per_seconds": 60,
        },
    ),
]

documented_jobs = extend_schema_view(
    list=extend_schema(summary="List jobs"),
    retrieve=extend_schema(summary="Show a job", parameters=[ID]),
    create=extend_schema(
        summary="Create a job",
        description="In any of three spellings; the answer is canonical. Without a `kind` the job"
        " is a `noop`, which returns its payload.",
        parameters=[DRY_RUN],
        request=JobSerializer,
        responses={
            201: WrittenJobSerializer,
            200: OpenApiResponse(WrittenJobSerializer, "What a dry run would have created."),
        },
        examples=SPELLINGS,
    ),
    update=extend_schema(
        summary="Replace a job",
        description="What the body leaves out gets its default; slug and status stay.",
        parameters=[ID, DRY_RUN],
        request=JobSerializer,
        responses=WrittenJobSerializer,
    ),
    partial_update=extend_schema(
        summary="Change a job",
        description="Objects are merged field by field; a payload of another kind and a schedule"
        " of another type replace what was there. Each change adds a version.",
        parameters=[ID, DRY_RUN],
        request=JobSerializer,
        responses=WrittenJobSerializer,
    ),
    destroy=extend_schema(
        summary="Archive a job",
        description="It frees its slug, keeps its history, and can be restored for 30 days.",
        parameters=[ID],
        responses={204: None},
    ),
    restore=extend_schema(
        summary="Restore an archived job", parameters=[ID], request=None, responses=JobSerializer
    ),
    pause=extend_schema(
        summary="Pause a job", parameters=[ID], request=PauseSerializer, responses=JobSerializer
    ),
    resume=extend_schema(
        summary="Resume a job", parameters=[ID], request=ResumeSerializer, responses=JobSerializer
    ),
    next_runs=extend_schema(
        summary="Show when a job would run",
        parameters=[ID, COUNT],
        responses=PreviewedSerializer,
        filters=False,
    ),
)
LIMIT = OpenApiParameter(
    "id", OpenApiTypes.STR, OpenApiParameter.PATH, description="The id of a limit, or its name."
)
documented_limits = extend_schema_view(
    list=extend_schema(summary="List limits"),
    retrieve=extend_schema(summary="Show a limit", parameters=[LIMIT]),
    create=extend_schema(
        summary="Create a limit",
        description="Jobs that name it in `policy.limit` share it; with `by`, those of them that"
        " have one value in that field of their payload.",
        parameters=[DRY_RUN],
        request=LimitSerializer,
        responses={201: LimitSerializer, 200: OpenApiResponse(LimitSerializer, "A dry run.")},
        examples=LIMITS,
    ),
    partial_update=extend_schema(
        summary="Change a limit",
        description="It holds at once for whatever has not started yet.",
        parameters=[LIMIT, DRY_RUN],
        request=LimitSerializer,
        responses=LimitSerializer,
    ),
    destroy=extend_schema(
        summary="Delete a limit",
        description="Refused while a job names it that is not archived.",
        parameters=[LIMIT, DRY_RUN],
        responses={204: None},
    ),
)
documented_preview = extend_schema(
    summary="Show when an unsaved schedule would run",
    request=PreviewSerializer,
    responses=PreviewedSerializer,
    examples=SCHEDULES,
)

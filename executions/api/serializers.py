"""Executions, their history and output as the API shows them, and the bodies it takes."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from executions import explain
from executions.models import (
    FINISHED,
    Attempt,
    Execution,
    ExecutionEvent,
    LogChunk,
    Origin,
    Status,
)
from jobs.models import Job
from jobs.policies import Priority


def seconds(value: timedelta | None) -> float | None:
    return None if value is None else round(value.total_seconds(), 3)


class JobSummarySerializer(serializers.ModelSerializer[Job]):
    class Meta:
        model = Job
        fields = ["id", "slug", "name"]


class AttemptSerializer(serializers.ModelSerializer[Attempt]):
    """One try. ``task_id`` is its name in Celery: the results list and Flower show it."""

    outcome = serializers.ChoiceField(
        choices=Attempt.Outcome.choices, allow_blank=True, help_text="Empty while it runs."
    )
    task_id = serializers.CharField(read_only=True)
    flower_url = serializers.SerializerMethodField()

    class Meta:
        model = Attempt
        fields = [
            "number",
            "outcome",
            "reason",
            "message",
            "trace",
            "worker",
            "queued_at",
            "started_at",
            "finished_at",
            "task_id",
            "flower_url",
        ]
        read_only_fields = fields

    def get_flower_url(self, attempt: Attempt) -> str:
        return f"/flower/task/{attempt.task_id}"


class EventSerializer(serializers.ModelSerializer[ExecutionEvent]):
    detail = serializers.DictField()

    class Meta:
        model = ExecutionEvent
        fields = ["at", "what", "actor", "detail"]
        read_only_fields = fields


class LogChunkSerializer(serializers.ModelSerializer[LogChunk]):
    class Meta:
        model = LogChunk
        fields = ["id", "attempt", "at", "stream", "text", "omitted"]
        read_only_fields = fields


class LogPageSerializer(serializers.Serializer[Any]):
    """A page of output. Ask again with ``after=next_after`` until ``finished``."""

    results = LogChunkSerializer(many=True)
    next_after = serializers.IntegerField(help_text="The id to go on after.")
    has_more = serializers.BooleanField(help_text="There is more at this moment.")
    truncated = serializers.BooleanField(
        help_text="There was too much: `omitted` says how many bytes were left out before a chunk."
    )
    finished = serializers.BooleanField(help_text="The execution ended: no more will come.")


class ExecutionSerializer(serializers.ModelSerializer[Execution]):
    """An execution in a list."""

    job = JobSummarySerializer()
    status = serializers.ChoiceField(choices=Status.choices)
    origin = serializers.ChoiceField(choices=Origin.choices)
    priority = serializers.SerializerMethodField()
    version = serializers.IntegerField(
        source="version.number", help_text="The version of the job that it runs."
    )
    lateness_seconds = serializers.SerializerMethodField(
        help_text="How late the newest attempt started; of one that waits, how late it is by now."
    )
    duration_seconds = serializers.SerializerMethodField(
        help_text="How long the newest attempt took, or takes by now."
    )
    allowed_actions = serializers.SerializerMethodField(
        help_text="What its state allows and you may do."
    )

    class Meta:
        model = Execution
        fields = [
            "id",
            "job",
            "version",
            "kind",
            "queue",
            "priority",
            "origin",
            "status",
            "reason",
            "message",
            "attempt",
            "scheduled_for",
            "due_at",
            "created_at",
            "queued_at",
            "started_at",
            "finished_at",
            "lateness_seconds",
            "duration_seconds",
            "allowed_actions",
        ]
        read_only_fields = fields

    @extend_schema_field(serializers.ChoiceField(choices=[p.name.lower() for p in Priority]))
    def get_priority(self, execution: Execution) -> str:
        return Priority(execution.priority).name.lower()

    def get_lateness_seconds(self, execution: Execution) -> float | None:
        return seconds(explain.lateness(execution, now=self.context["now"]))

    def get_duration_seconds(self, execution: Execution) -> float | None:
        return seconds(explain.duration(execution, now=self.context["now"]))

    def get_allowed_actions(self, execution: Execution) -> list[str]:
        return explain.allowed_actions(execution) if self.context["may_operate"] else []


class SaidSerializer(serializers.Serializer[Any]):
    """A reason in one case."""

    code = serializers.CharField(help_text="A stable word.")
    sentence = serializers.CharField()
    do = serializers.CharField(help_text="What can be done about it; empty when nothing is.")
    link = serializers.CharField(help_text="Where the code is described.")


class ExecutionDetailSerializer(ExecutionSerializer):
    """An execution with its input, its result and its history."""

    waiting_on = serializers.SerializerMethodField(
        help_text="What it waits for; null when it runs or has ended."
    )
    payload = serializers.SerializerMethodField(help_text="The input it runs with.")
    result = serializers.JSONField(allow_null=True)
    task_id = serializers.SerializerMethodField(
        help_text="The newest attempt's name in Celery; null before the first."
    )
    flower_url = serializers.SerializerMethodField()
    attempts = AttemptSerializer(many=True)
    events = EventSerializer(many=True)

    class Meta(ExecutionSerializer.Meta):
        fields = [
            *ExecutionSerializer.Meta.fields,
            "resolved_at",
            "worker",
            "failures",
            "losses",
            "waiting_on",
            "payload",
            "result",
            "task_id",
            "flower_url",
            "attempts",
            "events",
        ]
        read_only_fields = fields

    @extend_schema_field(SaidSerializer(allow_null=True))
    def get_waiting_on(self, execution: Execution) -> dict[str, str] | None:
        blocker = explain.waiting_on(execution, now=self.context["now"])
        return asdict(blocker) if blocker else None

    def get_payload(self, execution: Execution) -> dict[str, Any]:
        own: dict[str, Any] | None = execution.payload
        return execution.version.payload if own is None else own

    def get_task_id(self, execution: Execution) -> str | None:
        return execution.task_id if execution.attempt else None

    def get_flower_url(self, execution: Execution) -> str | None:
        return f"/flower/task/{execution.task_id}" if execution.attempt else None


class LineSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    paused = serializers.BooleanField()
    active = serializers.IntegerField()
    waiting = serializers.IntegerField(help_text="Due and not running.")
    late = serializers.IntegerField(help_text="Due for more than 30 seconds and not started.")
    oldest_due_at = serializers.DateTimeField(allow_null=True)


class RatesSerializer(serializers.Serializer[Any]):
    completed_per_minute = serializers.FloatField(help_text="Over the last 5 minutes.")
    failed_per_minute = serializers.FloatField(help_text="Over the last 5 minutes.")
    success = serializers.FloatField(allow_null=True, help_text="Share of the last day, 0 to 1.")


class VerdictSerializer(serializers.Serializer[Any]):
    status = serializers.ChoiceField(choices=["ok", "degraded", "down"])
    code = serializers.CharField()
    sentence = serializers.CharField()


class DashboardSerializer(serializers.Serializer[Any]):
    active = serializers.IntegerField(help_text="Running.")
    waiting = serializers.IntegerField(help_text="Due and not running.")
    completed = serializers.IntegerField(help_text="Succeeded in the last 24 hours.")
    failed = serializers.IntegerField(help_text="Failed for good in the last 24 hours.")
    late = serializers.IntegerField(help_text="Due for more than 30 seconds and not started.")
    paused = serializers.IntegerField(help_text="Jobs that are paused.")
    dead = serializers.IntegerField(
        help_text="Failed for good and not resolved; counted up to 100000."
    )
    rates = RatesSerializer()
    queues = LineSerializer(many=True)
    verdict = VerdictSerializer()
    as_of = serializers.DateTimeField()


class KeySerializer(serializers.Serializer[Any]):
    key = serializers.UUIDField()
    status_url = serializers.URLField()


class KeyStatusSerializer(serializers.ModelSerializer[Execution]):
    key = serializers.UUIDField(source="pk")
    status = serializers.ChoiceField(choices=Status.choices)
    finished = serializers.SerializerMethodField()

    class Meta:
        model = Execution
        fields = ["key", "status", "finished", "reason", "message", "result", "finished_at"]
        read_only_fields = fields

    def get_finished(self, execution: Execution) -> bool:
        return execution.status in FINISHED


class InfoSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    version = serializers.CharField()
    time = serializers.DateTimeField()
    links = serializers.DictField(child=serializers.URLField())

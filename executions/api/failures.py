"""Failures by cause, dead letters and redrives as the API shows them, and the bodies it takes."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from rest_framework import serializers

from executions import progress
from executions.api.serializers import ExecutionSerializer, JobSummarySerializer
from executions.causes import MOST, MOST_JOBS, NEWEST, Cause
from executions.models import Redrive
from executions.reasons import reason
from executions.redrives import MAX_RATE, RATE
from lib.fields import Number, Word
from lib.serializers import StrictSerializer

SLOWEST = 0.01  # per second


class FailureSerializer(serializers.Serializer[Cause]):
    """Dead letters that have one cause; the newest stands for all of them."""

    fingerprint = serializers.CharField()
    reason = serializers.CharField()
    error = serializers.CharField(help_text="The class that was raised; empty when none was.")
    message = serializers.CharField()
    frame = serializers.CharField(help_text="File and function of the job's own code, if any.")
    link = serializers.SerializerMethodField(help_text="Where the reason is described.")
    count = serializers.IntegerField(help_text=f"Counted up to {MOST}.")
    count_capped = serializers.BooleanField(help_text="There are more than `count`.")
    count_last_hour = serializers.IntegerField(source="count_lately")
    first_seen_at = serializers.DateTimeField()
    last_seen_at = serializers.DateTimeField()
    newest = serializers.UUIDField(source="newest.pk", help_text="The newest execution.")
    jobs = JobSummarySerializer(many=True, help_text=f"At most {MOST_JOBS} of them.")
    jobs_count = serializers.IntegerField(help_text=f"Jobs of the {NEWEST} newest.")

    def get_link(self, cause: Cause) -> str:
        return reason(cause.reason).link


class RedriveSerializer(serializers.ModelSerializer[Redrive]):
    """A redrive and how far it has come. A dry run has no id."""

    mode = serializers.ChoiceField(choices=Redrive.Mode.choices)
    state = serializers.ChoiceField(choices=Redrive.State.choices)
    sentence = serializers.CharField(read_only=True)
    unfinished = serializers.IntegerField(read_only=True)
    succeeded = serializers.IntegerField(read_only=True)
    failed = serializers.IntegerField(read_only=True)
    cancelled = serializers.IntegerField(read_only=True)
    left_over = serializers.DictField(
        child=serializers.IntegerField(),
        read_only=True,
        help_text="Dead letters that are not started, by why: job_paused, job_archived, waiting.",
    )

    class Meta:
        model = Redrive
        fields = [
            *("id", "fingerprint", "mode", "rate", "state", "reason", "sentence", "total"),
            *("started", "unfinished", "succeeded", "failed", "cancelled", "left_over"),
            *("created_by", "created_at", "finished_at"),
        ]
        read_only_fields = fields

    def to_representation(self, instance: Redrive) -> dict[str, Any]:
        seen = progress.of([instance])[instance.pk]
        for name, value in asdict(seen).items():
            setattr(instance, name, value)
        instance.sentence = progress.in_words(instance, seen)  # type: ignore[attr-defined]
        instance.left_over = progress.left_over(instance)  # type: ignore[attr-defined]
        shown = super().to_representation(instance)
        return shown | {"id": None if instance._state.adding else shown["id"]}


class FailureDetailSerializer(FailureSerializer):
    """A cause with the trace of its newest dead letter and its newest redrive."""

    trace = serializers.CharField()
    redrive = RedriveSerializer(allow_null=True)


class RedriveGroupSerializer(StrictSerializer):
    """The body of a redrive of a group; empty means: all, ten a second."""

    mode = Word(
        choices=Redrive.Mode.choices,
        default=Redrive.Mode.ALL.value,
        help_text="canary starts one, then ten, then the rest, each when the former ones ended.",
    )
    rate = Number(
        min_value=SLOWEST, max_value=MAX_RATE, default=RATE, help_text="Per second at most."
    )
    dry_run = serializers.BooleanField(default=False, help_text="Say what it would do.")


class NothingSerializer(StrictSerializer):
    """A body in which there is nothing to say."""


class ResolvedSerializer(serializers.Serializer[Any]):
    resolved = serializers.IntegerField()
    left = serializers.IntegerField(help_text="Ask again while this is not 0.")


class DeadLetterSerializer(ExecutionSerializer):
    """An execution that failed for good and that nobody has resolved."""

    class Meta(ExecutionSerializer.Meta):
        fields = [*ExecutionSerializer.Meta.fields, "fingerprint"]
        read_only_fields = fields

"""Queues as the API shows them, and the bodies that make and change them."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from jobs import slugs
from lib.faults import fault
from lib.fields import Line, Text, Whole
from lib.serializers import StrictSerializer

LARGEST = 1_000_000


class QueueChangeSerializer(StrictSerializer):
    """What may be set of a queue; what is left out stays as it is."""

    description = Line(max_length=200, allow_blank=True, required=False)
    concurrency = Whole(
        min_value=1,
        max_value=LARGEST,
        allow_null=True,
        required=False,
        help_text="So many queued and running at most; null: as many as workers take.",
    )
    window = Whole(
        min_value=1,
        max_value=LARGEST,
        allow_null=True,
        required=False,
        help_text="So many of a fleet are handed to the broker ahead of the workers, the others"
        " wait in their order; null: 3 for each slot of the fleet, and at least 500.",
    )


class NewQueueSerializer(QueueChangeSerializer):
    name = Text(max_length=64, help_text="Small letters, digits and single hyphens.")

    def validate_name(self, name: str) -> str:
        if slugs.is_valid(name):
            return name
        words = "A name is made of small letters, digits and single hyphens."
        raise serializers.ValidationError(
            fault(words, "slug_invalid", f"For example {slugs.of_name(name)}.")
        )


class QueueSerializer(serializers.Serializer[Any]):
    """A queue, with a ``Depth`` as its ``line``."""

    name = serializers.CharField()
    description = serializers.CharField()
    status = serializers.ChoiceField(choices=["active", "paused"])
    paused_at = serializers.DateTimeField(allow_null=True)
    paused_by = serializers.CharField()
    paused_reason = serializers.CharField()
    paused_until = serializers.DateTimeField(allow_null=True)
    concurrency = serializers.IntegerField(allow_null=True)
    window = serializers.IntegerField(allow_null=True)
    depth = serializers.IntegerField(
        source="line.depth", help_text="Due and not running; what a limit holds back is not in it."
    )
    depth_capped = serializers.BooleanField(
        source="line.depth_capped", help_text="There are more than was counted."
    )
    queued = serializers.IntegerField(source="line.queued", help_text="Handed to the broker.")
    running = serializers.IntegerField(source="line.running")
    in_flight = serializers.IntegerField(source="line.in_flight", help_text="Queued or running.")
    oldest_due_at = serializers.DateTimeField(source="line.oldest_due_at", allow_null=True)
    oldest_age_seconds = serializers.FloatField(
        source="line.oldest_age_seconds", allow_null=True, help_text="How late the oldest is."
    )
    workers = serializers.IntegerField(
        source="line.workers", help_text="Living workers that serve it."
    )
    created_at = serializers.DateTimeField()

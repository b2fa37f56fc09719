"""Retry and policy over the wire: how hard a job tries, and how it behaves towards others."""

from __future__ import annotations

from typing import Any

from rest_framework.exceptions import ValidationError

from jobs import bodies, host, policies
from lib.faults import fault
from lib.fields import Number, Text, Whole, Word
from lib.serializers import StrictSerializer

MAX_ATTEMPTS = 100
DAY = 86_400  # seconds
RETRY, POLICY = bodies.DEFAULTS["retry"], bodies.DEFAULTS["policy"]


class RetrySerializer(StrictSerializer):
    """How hard to try. The delay grows from ``base_seconds`` up to ``max_seconds``."""

    max_attempts = Whole(
        min_value=1,
        max_value=MAX_ATTEMPTS,
        default=RETRY["max_attempts"],
        help_text="Tries in all.",
    )
    strategy = Word(choices=[*map(str, policies.RetryStrategy)], default=RETRY["strategy"])
    base_seconds = Number(min_value=0, max_value=DAY, default=RETRY["base_seconds"])
    max_seconds = Number(min_value=0, max_value=7 * DAY, required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        base = attrs["base_seconds"]
        attrs.setdefault("max_seconds", max(RETRY["max_seconds"], base))
        if attrs["max_seconds"] < base:
            words = fault("max_seconds is below base_seconds.", "retry.max_below_base")
            raise ValidationError({"max_seconds": [words]})
        return attrs


class PolicySerializer(StrictSerializer):
    """How the job behaves towards others and towards trouble."""

    timeout_seconds = Number(min_value=0.1, max_value=7 * DAY, default=POLICY["timeout_seconds"])
    overlap = Word(choices=[*map(str, policies.Overlap)], default=POLICY["overlap"])
    misfire = Word(choices=[*map(str, policies.Misfire)], default=POLICY["misfire"])
    priority = Word(choices=[one.word for one in policies.Priority], default=POLICY["priority"])
    queue = Text(max_length=64, default=POLICY["queue"])
    on_lost = Word(choices=[*map(str, policies.OnLost)], default=POLICY["on_lost"])

    def validate_queue(self, queue: str) -> str:
        known = host.queue_names()
        if queue not in known:
            raise ValidationError(
                fault("There is no such queue.", "queue_unknown", allowed=sorted(known))
            )
        return queue

"""Limits over the wire: so many at once, so many per time, or both."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from jobs import slugs
from jobs.serializers.policies import DAY, MAX_CONCURRENCY, MOMENT
from jobs.specs import shortest
from lib.faults import fault
from lib.fields import Instant, Line, Number, Text, Whole
from lib.serializers import StrictSerializer

if TYPE_CHECKING:
    from jobs.models import Limit

FIELDS = ("name", "by", "concurrency", "rate", "per_seconds")
MAX_RATE = 1_000_000


class LimitSerializer(StrictSerializer):
    """A limit that jobs share by naming it in their policy."""

    id = serializers.UUIDField(read_only=True)
    name = Text(max_length=64, help_text="Unique in the team.")
    by = Line(
        max_length=64,
        allow_blank=True,
        default="",
        help_text="A field of the payload: each of its values has the limit to itself.",
    )
    concurrency = Whole(
        min_value=1,
        max_value=MAX_CONCURRENCY,
        allow_null=True,
        default=None,
        help_text="So many executions at once.",
    )
    rate = Whole(
        min_value=1,
        max_value=MAX_RATE,
        allow_null=True,
        default=None,
        help_text="So many starts in per_seconds.",
    )
    per_seconds = Number(min_value=MOMENT, max_value=31 * DAY, allow_null=True, default=None)
    created_at = Instant(read_only=True)

    def to_internal_value(self, data: Any) -> Any:
        """Lay a partial body over the limit: what makes sense together is said together."""
        if self.partial and self.instance and isinstance(data, dict):
            data = {**{name: getattr(self.instance, name) for name in FIELDS}, **data}
        return super().to_internal_value(data)

    def validate_name(self, name: str) -> str:
        if slugs.is_valid(name):
            return name
        words = "A name has lower-case letters, digits and single dashes, and looks like no id."
        raise ValidationError(
            fault(words, "limit.name_invalid", f"For example {slugs.of_name(name)}.")
        )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        rate, seconds = attrs["rate"], attrs["per_seconds"]
        if rate is not None and seconds is None:
            words = fault("A rate needs the seconds it is counted in.", "limit.rate_incomplete")
            raise ValidationError({"per_seconds": [words]})
        if seconds is not None and rate is None:
            words = fault("There is no rate to count in these seconds.", "limit.rate_incomplete")
            raise ValidationError({"rate": [words]})
        if rate is None and attrs["concurrency"] is None:
            words = fault("The limit limits nothing.", "limit.empty", "Set concurrency or rate.")
            raise ValidationError({"concurrency": [words]})
        return attrs

    def to_representation(self, limit: Limit) -> dict[str, Any]:
        seconds = limit.per_seconds
        return {
            "id": str(limit.pk),
            **{name: getattr(limit, name) for name in FIELDS},
            "per_seconds": seconds and shortest(seconds),
            "created_at": Instant().to_representation(limit.created_at),
        }


class LimitFormSerializer(LimitSerializer):
    """What may be sent back: the content of the form that changes a limit."""

    def to_representation(self, limit: Limit) -> dict[str, Any]:
        shown = super().to_representation(limit)
        return {name: shown[name] for name in FIELDS}

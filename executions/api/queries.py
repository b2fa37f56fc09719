"""The query strings that single executions take; a list's are in ``filters``."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from rest_framework import serializers
from rest_framework.request import Request

from jobs.triggers.base import TriggerError, checked_instant
from lib.faults import ParameterError, fault
from lib.fields import Instant

if TYPE_CHECKING:
    from datetime import datetime

MAX_CHUNKS = 1000
MAX_ID = 2**63 - 1
MAX_WAIT = 60


class WaitQuery(serializers.Serializer[Any]):
    wait = serializers.DecimalField(
        max_digits=6,
        decimal_places=3,
        min_value=0,
        max_value=MAX_WAIT,
        default=Decimal(0),
        help_text=f"Answer when it is finished, or after so many seconds (0 to {MAX_WAIT}).",
    )


class StatusQuery(WaitQuery):
    key = serializers.UUIDField(help_text="What POST /run answered.")


class LogQuery(serializers.Serializer[Any]):
    after = serializers.IntegerField(
        min_value=0, max_value=MAX_ID, default=0, help_text="Only what comes after this id."
    )
    limit = serializers.IntegerField(
        min_value=1, max_value=MAX_CHUNKS, default=MAX_CHUNKS, help_text="How many chunks."
    )
    stream = serializers.ChoiceField(choices=["stdout", "stderr", "system"], required=False)


class SubmitQuery(serializers.Serializer[Any]):
    partial = serializers.BooleanField(  # type: ignore[assignment]  # shadows what nobody asks here
        default=False,
        help_text="Refuse what is wrong and start the others, instead of refusing all.",
    )


class AtQuery(serializers.Serializer[Any]):
    at = Instant(help_text="An RFC 3339 instant with its offset, past or future.")

    def validate_at(self, at: datetime) -> datetime:
        try:
            return checked_instant("at", at)
        except TriggerError as exc:
            raise serializers.ValidationError(fault(str(exc), "instant_invalid")) from exc


def asked(request: Request, query: type[serializers.Serializer[Any]]) -> dict[str, Any]:
    """Return what the query string says. Raises ``ParameterError`` with all of its faults."""
    reading = query(data=request.query_params.dict())
    if not reading.is_valid():
        raise ParameterError(reading.errors)
    values: dict[str, Any] = reading.validated_data
    return values

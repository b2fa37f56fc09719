"""The bodies that executions and their short forms take."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rest_framework import serializers

from jobs import kinds
from jobs.policies import Priority
from jobs.triggers.base import TriggerError, checked_instant
from lib.faults import fault
from lib.fields import Instant, Line, Word
from lib.serializers import StrictSerializer

if TYPE_CHECKING:
    from datetime import datetime


class PayloadSerializer(StrictSerializer):
    """An input that replaces the job's for one execution; validated by the job's kind.

    The context holds ``kind``, a name of ``jobs.kinds``.
    """

    payload = serializers.DictField(
        required=False, allow_null=True, help_text="Instead of the job's own, for this time."
    )

    def validate_payload(self, payload: dict[str, Any] | None) -> dict[str, Any] | None:
        if payload is None:
            return None
        own = kinds.get(self.context["kind"]).payload(data=payload)
        own.is_valid(raise_exception=True)
        validated: dict[str, Any] = own.validated_data
        return validated


class CancelSerializer(StrictSerializer):
    """The body of a cancel: there is nothing to say."""


class RunAgainSerializer(PayloadSerializer):
    """The body of a retry; empty means: the same input."""


class ExecuteSerializer(PayloadSerializer):
    """The body of a manual start; empty means: now, with the job's own input.

    The context holds ``now`` as well.
    """

    run_at = Instant(required=False, allow_null=True, help_text="Not before this instant.")
    priority = Word(choices=[priority.name.lower() for priority in Priority], required=False)
    reason = Line(required=False, allow_blank=True, max_length=200, help_text="For the history.")

    def validate_run_at(self, run_at: datetime | None) -> datetime | None:
        if run_at is None:
            return None
        try:
            instant = checked_instant("run_at", run_at)
        except TriggerError as exc:
            raise serializers.ValidationError(fault(str(exc), exc.code, exc.hint)) from exc
        if instant < self.context["now"]:
            raise serializers.ValidationError(
                fault("This instant is over.", "instant_past", hint="Leave it out to run now.")
            )
        return instant

    def validate_priority(self, name: str) -> Priority:
        return Priority[name.upper()]


class RunSerializer(PayloadSerializer):
    """The body of the short form; empty runs the built-in ``noop``."""

    kind = Word(choices=["noop"], required=False, help_text="Other kinds need a job: POST /jobs.")

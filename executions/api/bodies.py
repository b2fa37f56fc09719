"""The bodies that executions and their short forms take."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from django.core.validators import RegexValidator
from rest_framework import serializers

from accounts.idempotent import LONGEST
from jobs import kinds
from jobs.policies import Priority
from jobs.triggers.base import TriggerError, checked_instant
from lib.faults import fault
from lib.fields import Instant, Line, Text, Word
from lib.serializers import StrictSerializer

if TYPE_CHECKING:
    from datetime import datetime

PLAIN = frozenset({"payload", "idempotency_key"})  # what nearly all of many starts have
PAST = fault("This instant is over.", "instant_past", hint="Leave it out to run now.")


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
        validated: dict[str, Any] = self._of_kind.run_validation(payload)
        return validated

    @cached_property
    def _of_kind(self) -> serializers.Serializer[Any]:
        return kinds.get(self.context["kind"]).payload()


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
        self.check_future(instant)
        return instant

    def check_future(self, instant: datetime) -> None:
        if instant < self.context["now"]:
            raise serializers.ValidationError(PAST)

    def validate_priority(self, name: str) -> Priority:
        return Priority[name.upper()]


class SubmitSerializer(ExecuteSerializer):
    """One of many starts; validates any number, one after the other."""

    idempotency_key = Text(
        validators=[RegexValidator(r"\A[ -~]+\Z", "This must be printable ASCII characters.")],
        required=False,
        max_length=LONGEST,
        help_text="Your name for it: the same key, the same execution, for 24 hours.",
    )

    def take(self, start: Any) -> dict[str, Any]:
        """As ``run_validation``, which takes longer than all else that becomes of a plain start."""
        if not isinstance(start, dict) or not start.keys() <= PLAIN:
            return self._take_whole(start)
        try:
            wish = {name: self._own_fields[name].run_validation(start[name]) for name in start}
            return wish | {"payload": self.validate_payload(wish.get("payload"))}
        except serializers.ValidationError:
            return self._take_whole(start)  # it says where

    def _take_whole(self, start: Any) -> dict[str, Any]:
        wish: dict[str, Any] = self.run_validation(start)
        return wish

    @cached_property
    def _own_fields(self) -> dict[str, Any]:
        return {name: self.fields[name] for name in PLAIN}

    def validate(self, wish: dict[str, Any]) -> dict[str, Any]:
        """What has a key may come again: then it does not matter that its instant is over."""
        run_at = wish.get("run_at")
        if run_at and "idempotency_key" not in wish and run_at < self.context["now"]:
            raise serializers.ValidationError({"run_at": [PAST]})
        return wish

    def check_future(self, instant: datetime) -> None:
        """``validate`` does, which sees the key as well."""


class RunSerializer(PayloadSerializer):
    """The body of the short form; empty runs the built-in ``noop``."""

    kind = Word(choices=["noop"], required=False, help_text="Other kinds need a job: POST /jobs.")

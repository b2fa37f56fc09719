"""Schedules over the wire: what each type needs, and what one would do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError

from jobs import bodies, specs, triggers
from jobs.models import Job, Schedule
from jobs.policies import IntervalMode
from jobs.serializers.renamed import renamed
from jobs.spellings import READERS, canonical
from jobs.triggers import zones
from jobs.triggers.preview import MOST
from jobs.triggers.walk import shortest_gap
from lib.faults import fault
from lib.fields import Instant, Number, Text, Whole, Word
from lib.serializers import StrictSerializer

if TYPE_CHECKING:
    from datetime import datetime

    from jobs.triggers.preview import Moment

MAX_JITTER = 86_400  # seconds
MAX_EXECUTIONS = 2**31 - 1

BARE_NAMES = frozenset(["type", *specs.UNSET])
BARE_NAMES |= {name for path in READERS for name in path[1:] if path[0] == "schedule"}


class ScheduleSerializer(StrictSerializer):
    """When a job is due. ``once`` without ``run_at`` means at once.

    Slots lie from ``starts_at`` on and before ``ends_at``.
    """

    type = Word(choices=Schedule.Type.values)
    cron = Text(required=False, help_text="Five fields, or six or seven for Quartz.")
    timezone = Text(required=False, help_text="An IANA name; UTC if absent.")
    every_seconds = Whole(required=False, help_text="Seconds from one slot to the next.")
    mode = Word(
        choices=[*map(str, IntervalMode)],
        required=False,
        help_text="Of an interval: from slot to slot, or from the end of an execution on.",
    )
    anchor = Instant(required=False, help_text="Slots are whole intervals away from here.")
    run_at = Instant(required=False, allow_null=True, help_text="At once if absent or null.")
    starts_at = Instant(required=False, allow_null=True, help_text="The earliest slot.")
    ends_at = Instant(required=False, allow_null=True, help_text="No slot from here on.")
    max_executions = Whole(
        min_value=1,
        max_value=MAX_EXECUTIONS,
        required=False,
        allow_null=True,
        help_text="How many slots there are in all.",
    )
    jitter_seconds = Number(
        min_value=0,
        max_value=MAX_JITTER,
        required=False,
        help_text="Start up to so long after each slot, a job always as much.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        schedule_type = attrs["type"]
        needed, taken = specs.NEEDED[schedule_type], specs.TAKEN[schedule_type]
        # A zone is never out of place.
        known = {"type", "timezone", *needed, *taken} - {*bodies.misplaced("schedule", attrs)}
        faults = {name: [_missing(name, schedule_type)] for name in needed if name not in attrs}
        faults |= {name: [_misplaced(attrs)] for name in attrs if name not in known}
        if faults:
            raise ValidationError(faults)
        self._check_slots(attrs)
        if schedule_type != Schedule.Type.CRON:
            attrs.pop("timezone", None)  # its instants are the same in every zone
        return specs.terse(attrs)

    def _check_slots(self, attrs: dict[str, Any]) -> None:
        job, now = getattr(self.root, "instance", None), self.context["now"]
        before = job.schedule if isinstance(job, Job) else None
        anchor = before.anchor if before and before.type == attrs["type"] else None
        spec = bodies.settled(attrs, now=now, anchor=anchor)
        if before and before.spec == spec:
            return  # what stays as it is may lie in the past
        try:
            zones.named(attrs.get("timezone", "UTC"))
            trigger = triggers.build_coming(spec, now=now)
        except triggers.TriggerError as exc:
            raise ValidationError({exc.field: [fault(str(exc), exc.code, exc.hint)]}) from exc
        _check_jitter(trigger, attrs.get("jitter_seconds", 0), now)


def _check_jitter(trigger: triggers.Trigger, seconds: float, now: datetime) -> None:
    """Refuse a spread that reaches from one slot to the next: it would mix them up."""
    gap = shortest_gap(trigger, now) if seconds else None
    if gap and seconds >= gap.total_seconds():
        words = f"Two slots are {gap.total_seconds():g} s apart; the jitter must be shorter."
        raise ValidationError({"jitter_seconds": [fault(words, "schedule.jitter_too_long")]})


class PreviewSerializer(StrictSerializer):
    """A schedule that nobody has saved, bare or as ``schedule`` of a body, in any spelling."""

    schedule = ScheduleSerializer()
    count = Whole(min_value=1, max_value=MOST, default=5, help_text="How many runs to tell.")

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, Mapping):
            return super().to_internal_value(data)  # which says what it wants instead
        is_bare = "schedule" not in data
        said = canonical(_wrapped(data) if is_bare else data)
        value: Any = None
        detail: Any = {}
        try:
            value = super().to_internal_value(said.body)
        except ValidationError as exc:
            detail = exc.detail
        if detail or said.faults:
            told = renamed(detail, said)
            raise ValidationError(_unwrapped(told) if is_bare else told)
        return value


class MomentSerializer(serializers.Serializer[Any]):
    at = Instant(help_text="In UTC.")
    local = serializers.DateTimeField(default_timezone=None, help_text="In the schedule's zone.")

    def to_representation(self, moment: Moment) -> dict[str, str]:
        return {"at": Instant().to_representation(moment.at), "local": moment.local.isoformat()}


class PreviewedSerializer(serializers.Serializer[Any]):
    """What a schedule means: in words, as instants, and what clock changes do to it."""

    words = serializers.CharField()
    dialect = serializers.ChoiceField(choices=["unix", "quartz"], allow_null=True)
    timezone = serializers.CharField()
    next_runs = MomentSerializer(many=True, source="slots")
    notes = serializers.ListField(child=serializers.CharField())


def _wrapped(body: Mapping[str, Any]) -> dict[str, Any]:
    own = {name: value for name, value in body.items() if name in BARE_NAMES}
    return {"schedule": own, **{name: body[name] for name in body if name not in own}}


def _unwrapped(told: dict[str, Any]) -> dict[str, Any]:
    inner = told.get("schedule")
    if not isinstance(inner, dict):
        return told
    return {name: faults for name, faults in told.items() if name != "schedule"} | inner


def _missing(name: str, schedule_type: str) -> ErrorDetail:
    return fault(f"A schedule of type {schedule_type} needs {name}.", "required")


def _misplaced(attrs: Mapping[str, Any]) -> ErrorDetail:
    sort = f"with the mode {attrs['mode']}" if "mode" in attrs else f"of type {attrs['type']}"
    return fault(f"A schedule {sort} does not take this field.", "schedule.field_misplaced")

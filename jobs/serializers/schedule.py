"""Schedules over the wire: what each type needs, and what one would do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError

from jobs import bodies, triggers
from jobs.models import Job, Schedule
from jobs.serializers.renamed import renamed
from jobs.spellings import READERS, canonical
from jobs.triggers import zones
from jobs.triggers.preview import MOST
from lib.faults import fault
from lib.fields import Instant, Text, Whole, Word
from lib.serializers import StrictSerializer

if TYPE_CHECKING:
    from jobs.triggers.preview import Moment

# The fields that each type needs, and those that it takes as well. A zone is never out of place.
NEEDED = {"manual": (), "once": (), "interval": ("every_seconds",), "cron": ("cron",)}
TAKEN = {"manual": (), "once": ("run_at",), "interval": ("anchor",), "cron": ()}

BARE_NAMES = frozenset(["type", "cron", "timezone", "every_seconds", "anchor", "run_at"])
BARE_NAMES |= {name for path in READERS for name in path[1:] if path[0] == "schedule"}


class ScheduleSerializer(StrictSerializer):
    """When a job is due. ``once`` without ``run_at`` means at once."""

    type = Word(choices=Schedule.Type.values)
    cron = Text(required=False, help_text="Five fields, or six or seven for Quartz.")
    timezone = Text(required=False, help_text="An IANA name; UTC if absent.")
    every_seconds = Whole(required=False, help_text="Seconds from one slot to the next.")
    anchor = Instant(required=False, help_text="Slots are whole intervals away from here.")
    run_at = Instant(required=False, allow_null=True, help_text="At once if absent or null.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        needed, taken = NEEDED[attrs["type"]], TAKEN[attrs["type"]]
        known = {"type", "timezone", *needed, *taken}
        faults = {name: [_missing(name, attrs["type"])] for name in needed if name not in attrs}
        faults |= {name: [_misplaced(attrs["type"])] for name in attrs if name not in known}
        if faults:
            raise ValidationError(faults)
        self._check_slots(attrs)
        if attrs["type"] != Schedule.Type.CRON:
            attrs.pop("timezone", None)  # its instants are the same in every zone
        return attrs

    def _check_slots(self, attrs: dict[str, Any]) -> None:
        job = getattr(self.root, "instance", None)
        if isinstance(job, Job) and job.schedule.spec == attrs:
            return  # what stays as it is may lie in the past
        now = self.context["now"]
        try:
            zones.named(attrs.get("timezone", "UTC"))
            triggers.build_coming(bodies.settled(attrs, now=now, anchor=None), now=now)
        except triggers.TriggerError as exc:
            raise ValidationError({exc.field: [fault(str(exc), exc.code, exc.hint)]}) from exc


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


def _misplaced(schedule_type: str) -> ErrorDetail:
    return fault(
        f"A schedule of type {schedule_type} does not take this field.", "schedule.field_misplaced"
    )

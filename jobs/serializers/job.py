"""Jobs over the wire: any spelling in, the canonical one out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Any

from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.reverse import reverse

from jobs import bodies, kinds, slugs
from jobs.policies import IntervalMode, Misfire
from jobs.serializers.payload import PayloadField
from jobs.serializers.policies import PolicySerializer, RetrySerializer
from jobs.serializers.renamed import renamed
from jobs.serializers.schedule import ScheduleSerializer
from jobs.spellings import NAMES, canonical
from jobs.triggers.base import HORIZON
from jobs.triggers.walk import slots_between
from lib.faults import MAX_SHOWN, fault, unknown
from lib.fields import Instant, Line, Text, Word
from lib.serializers import StrictSerializer

if TYPE_CHECKING:
    from jobs.models import Job, Schedule
    from jobs.spellings import Canonical

DEFAULTS = {name: value for name, value in bodies.DEFAULTS.items() if name != "status"}
MAX_TAGS = 50
SHOWN_RUNS = 5
NO_KIND = "Without a kind the job is a noop: it returns its payload."
LINKS = {
    "executions": "executions",
    "execute": "execute",
    "pause": "pause",
    "resume": "resume",
    "next_runs": "next-runs",
}


class JobSerializer(StrictSerializer):
    """A job: what to do, when, and how hard to try."""

    # A partial body is laid over the job before it is validated, so that validated_data holds
    # whole objects. What a valid body does, although its author may not mean it, is in warnings.

    id = serializers.UUIDField(read_only=True)
    name = Line(max_length=200)
    slug = Text(required=False, help_text="Unique in the team; made from the name if absent.")
    description = Text(max_length=5000, allow_blank=True, required=False)
    status = Word(choices=["active", "paused", "archived"], required=False)
    kind = Word(choices=kinds.choices(), required=False)
    payload = PayloadField(required=False)
    schedule = ScheduleSerializer(required=False)
    retry = RetrySerializer(required=False)
    policy = PolicySerializer(required=False)
    tags = serializers.ListField(child=Line(max_length=64), max_length=MAX_TAGS, required=False)
    version = serializers.IntegerField(read_only=True)
    next_run_at = Instant(read_only=True, allow_null=True)
    paused_at = Instant(read_only=True, allow_null=True)
    paused_reason = serializers.CharField(read_only=True)
    paused_by = serializers.CharField(read_only=True)
    paused_until = Instant(read_only=True, allow_null=True)
    archived_at = Instant(read_only=True, allow_null=True)
    created_at = Instant(read_only=True)
    updated_at = Instant(read_only=True)
    links = serializers.DictField(child=serializers.URLField(), read_only=True)

    kind_name: str
    warnings: list[dict[str, str]]

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, Mapping):
            return super().to_internal_value(data)  # which says what it wants instead
        said = canonical(data, kind=self.instance.kind if self.instance else "")
        body = self._completed(said.body)
        self.kind_name = str(body.get("kind"))
        self.warnings = list(self._doubts(body, said))
        value: Any = None
        detail: Any = {}
        try:
            value = super().to_internal_value(body)
        except ValidationError as exc:
            detail = exc.detail
        if detail or said.faults:
            raise ValidationError(renamed(detail, said))
        return value

    def validate_slug(self, slug: str) -> str:
        if slugs.is_valid(slug):
            return slug
        words = (
            "A slug has lower-case letters, digits and single dashes, and does not look like an id."
        )
        hint = f"For example {slugs.of_name(slug[:200])}."
        raise ValidationError(fault(words, "slug_invalid", hint))

    def validate_status(self, status: str) -> str:
        if status != "archived":
            return status
        hint = "DELETE archives a job, POST to its /restore brings it back."
        raise ValidationError(fault("A job is not archived like this.", "invalid_choice", hint))

    def validate_tags(self, tags: list[str]) -> list[str]:
        if len(set(tags)) < len(tags):
            raise ValidationError(fault("A tag is there twice.", "duplicate"))
        return tags

    def to_representation(self, job: Job) -> dict[str, Any]:
        body = bodies.of(job)
        url = reverse("job-detail", [job.pk], request=self.context.get("request"))
        links = {"self": url} | {name: f"{url}/{path}" for name, path in LINKS.items()}
        body["schedule"] = {name: _shown(value) for name, value in body["schedule"].items()}
        instants = {
            "next_run_at": job.schedule.next_fire_at if job.schedule.enabled else None,
            "paused_at": job.paused_at,
            "paused_until": job.paused_until,
            "archived_at": job.archived_at,
            "created_at": job.created_at,
            "updated_at": job.updated_at,
        }
        return {
            "id": str(job.pk),
            **body,
            "version": job.current.number if job.current else None,
            "paused_reason": job.paused_reason,
            "paused_by": job.paused_by,
            **{name: _shown(instant) for name, instant in instants.items()},
            "links": links,
        }

    def _completed(self, body: dict[str, Any]) -> dict[str, Any]:
        """Add what must be validated together with what the caller said."""
        if not (self.partial and self.instance):
            return {**DEFAULTS, **body}
        merged = bodies.merged(bodies.of(self.instance), body)
        names = {*body, "kind", "payload"} if {"kind", "payload"} & set(body) else set(body)
        return {name: merged[name] for name in names}

    def _unsettable(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """Who speaks another spelling may have meant one of its names."""
        names = [name for name in islice(data, MAX_SHOWN) if name not in self.fields]
        known = {name for name, field in self.fields.items() if not field.read_only} | NAMES
        nearest = {name: [one] for name, one in unknown(names, known, what="field").items()}
        return super()._unsettable(data) | nearest

    def _doubts(self, body: Mapping[str, Any], said: Canonical) -> Iterator[dict[str, str]]:
        """Yield what a valid body does, although its author may not have meant it."""
        schedule = body.get("schedule")
        schedule = schedule if isinstance(schedule, Mapping) else {}
        policy = body.get("policy")
        policy = policy if isinstance(policy, Mapping) else {}
        doubts = {
            "/kind": (not self.partial and "kind" not in said.body, "kind_missing", NO_KIND),
            "/schedule/run_at": (
                schedule.get("type") == "once" and "run_at" not in schedule,
                "runs_at_once",
                "Without run_at the job runs at once.",
            ),
            "/schedule/timezone": (
                "timezone" in schedule and schedule.get("type") != "cron",
                "timezone_unused",
                "Only cron expressions are read in a time zone.",
            ),
            "/policy/misfire": (
                {"catch_up_max", "catch_up_pace_seconds"} & {*policy}
                and policy.get("misfire") != Misfire.ALL,
                "catch_up_unused",
                "Only the misfire policy all catches up.",
            ),
        }
        for where, (doubtful, code, detail) in doubts.items():
            if doubtful:
                yield {"pointer": said.called(where), "code": code, "detail": detail}


class JobFormSerializer(JobSerializer):
    """What may be sent back: the content of the form that changes a job."""

    def to_representation(self, job: Job) -> dict[str, Any]:
        shown = bodies.spelt_out(super().to_representation(job))
        return {name: shown[name] for name, field in self.fields.items() if not field.read_only}


class WarningSerializer(serializers.Serializer[Any]):
    pointer = serializers.CharField()
    code = serializers.CharField()
    detail = serializers.CharField()


class WrittenJobSerializer(JobSerializer):
    """A job as it was just written, with what follows from that."""

    next_runs = serializers.ListField(child=Instant(), read_only=True)
    warnings = WarningSerializer(many=True, read_only=True)  # type: ignore[assignment]  # DRF moves fields away

    def to_representation(self, job: Job) -> dict[str, Any]:
        runs = [_shown(slot) for slot in _next_runs(job.schedule)]
        warnings = self.context.get("warnings", [])
        return {**super().to_representation(job), "next_runs": runs, "warnings": warnings}


def _next_runs(schedule: Schedule) -> list[datetime]:
    first = schedule.next_fire_at if schedule.enabled else None
    if first is None:
        return []
    shown = SHOWN_RUNS
    if schedule.mode == IntervalMode.FIXED_DELAY:
        shown = 1  # the next one follows the end of its execution
    elif schedule.max_executions:
        shown = min(shown, schedule.max_executions - schedule.fired)
    return [first, *slots_between(schedule.trigger, first, HORIZON, limit=shown - 1)]


def _shown(value: Any) -> Any:
    return Instant().to_representation(value) if isinstance(value, datetime) else value

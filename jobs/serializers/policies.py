"""Retry and policy over the wire: how hard a job tries, and how it behaves towards others."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError

from jobs import bodies, failure_words, host, kinds, policies
from jobs.models import Job, Limit
from lib.faults import MAX_SHOWN, fault, unknown
from lib.fields import Number, Text, Whole, Word
from lib.serializers import StrictSerializer

MAX_ATTEMPTS = 100
MAX_RUNGS = 20
MAX_WORDS = 50
MAX_CONCURRENCY = 100_000
MAX_CATCH_UP = 100_000
DAY = 86_400  # seconds
MOMENT = 0.001  # seconds
RETRY, POLICY = bodies.DEFAULTS["retry"], bodies.DEFAULTS["policy"]
RETRY_UNSAID, POLICY_UNSAID = bodies.UNSAID["retry"], bodies.UNSAID["policy"]


class FailureWord(Text):
    """A word for a failure; an HTTP status may be a number, too."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"max_length": 64} | kwargs)

    def to_internal_value(self, data: Any) -> str:
        word = super().to_internal_value(str(data) if type(data) is int else data)
        if not failure_words.names_failure(word):
            raise ValidationError(unknown([word], failure_words.known(), what="failure")[word])
        return word


@extend_schema_field({"type": "array", "items": {"type": "string"}, "maxItems": MAX_WORDS})
class FailureWords(serializers.ListField):
    """Words for failures, each once."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(child=FailureWord(), max_length=MAX_WORDS, **kwargs)

    def to_internal_value(self, data: Any) -> list[str]:
        words: list[str] = super().to_internal_value(data)
        if len(set(words)) < len(words):
            raise ValidationError(fault("A word is there twice.", "duplicate"))
        return words


class RetrySerializer(StrictSerializer):
    """How hard to try. A delay grows from ``base_seconds`` up to ``max_seconds``, or climbs the
    ladder of ``delays_seconds``, whose last rung repeats."""

    max_attempts = Whole(
        min_value=1,
        max_value=MAX_ATTEMPTS,
        default=RETRY["max_attempts"],
        help_text="Tries in all.",
    )
    strategy = Word(choices=[*map(str, policies.RetryStrategy)], default=RETRY["strategy"])
    base_seconds = Number(
        min_value=0, max_value=DAY, required=False, help_text="60 if absent; not for a ladder."
    )
    max_seconds = Number(
        min_value=0, max_value=7 * DAY, required=False, help_text="3600 if absent, or the base."
    )
    delays_seconds = serializers.ListField(
        child=Number(min_value=0, max_value=7 * DAY),
        min_length=1,
        max_length=MAX_RUNGS,
        required=False,
        help_text="For a ladder only; 60, 300, 900 if absent.",
    )
    jitter = Word(
        choices=[*map(str, policies.Jitter)],
        default=RETRY_UNSAID["jitter"],
        help_text="full: anywhere between nothing and the whole delay.",
    )
    retry_on = FailureWords(
        default=list,
        help_text="If there are any, only such failures are tried again: reasons (timeout), HTTP"
        " statuses (503, 5xx), exceptions (ValueError, module.ValueError).",
    )
    give_up_on = FailureWords(default=list, help_text="Such failures are never tried again.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        strategy = attrs["strategy"]
        faults = {
            name: [_misplaced(name, strategy)]
            for name in bodies.misplaced("retry", attrs)
            if name in attrs
        }
        faults |= _contradictions(attrs)
        if faults:
            raise ValidationError(faults)
        if strategy == policies.RetryStrategy.LADDER:
            attrs.setdefault("delays_seconds", bodies.LADDER)
        else:
            _fill_growth(attrs)
        return bodies.terse("retry", attrs)


def _misplaced(name: str, strategy: str) -> ErrorDetail:
    other = "delays_seconds" if strategy == policies.RetryStrategy.LADDER else "the strategy ladder"
    return fault(
        f"The strategy {strategy} does not take {name}.",
        "retry.field_misplaced",
        hint=f"Use {other}.",
    )


def _contradictions(attrs: dict[str, Any]) -> dict[str, list[ErrorDetail]]:
    """What is given up on is never tried again, so it must not be asked for."""
    given_up = [
        word
        for word in attrs.get("retry_on", ())
        if any(failure_words.covers(other, word) for other in attrs.get("give_up_on", ()))
    ]
    if not given_up:
        return {}
    words = f"{', '.join(given_up[:MAX_SHOWN])} would be retried and given up on."
    return {"retry_on": [fault(words, "retry.contradiction", "Name it in one of the two.")]}


def _fill_growth(attrs: dict[str, Any]) -> None:
    """Raises ``ValidationError`` for a cap below the base."""
    base = attrs.setdefault("base_seconds", RETRY["base_seconds"])
    attrs.setdefault("max_seconds", max(RETRY["max_seconds"], base))
    if attrs["max_seconds"] < base:
        words = fault("max_seconds is below base_seconds.", "retry.max_below_base")
        raise ValidationError({"max_seconds": [words]})


class PolicySerializer(StrictSerializer):
    """How the job behaves towards others and towards trouble."""

    timeout_seconds = Number(min_value=0.1, max_value=7 * DAY, default=POLICY["timeout_seconds"])
    overlap = Word(choices=[*map(str, policies.Overlap)], default=POLICY["overlap"])
    misfire = Word(choices=[*map(str, policies.Misfire)], default=POLICY["misfire"])
    priority = Word(choices=[one.word for one in policies.Priority], default=POLICY["priority"])
    queue = Text(max_length=64, default=POLICY["queue"])
    on_lost = Word(choices=[*map(str, policies.OnLost)], default=POLICY["on_lost"])
    concurrency = Whole(
        min_value=1,
        max_value=MAX_CONCURRENCY,
        allow_null=True,
        default=None,
        help_text="So many executions of this job at once; any number if null.",
    )
    limit = Text(
        max_length=64,
        allow_null=True,
        default=None,
        help_text="The name of a limit that the team's jobs share.",
    )
    start_deadline_seconds = Number(
        min_value=MOMENT,
        max_value=365 * DAY,
        allow_null=True,
        default=None,
        help_text="What has not started so long after it was due is skipped.",
    )
    catch_up_max = Whole(
        min_value=1,
        max_value=MAX_CATCH_UP,
        default=POLICY_UNSAID["catch_up_max"],
        help_text="How many late slots the misfire policy all makes up for.",
    )
    catch_up_pace_seconds = Number(
        min_value=0,
        max_value=DAY,
        default=POLICY_UNSAID["catch_up_pace_seconds"],
        help_text="Seconds from the start of one late slot to that of the next.",
    )

    def validate_queue(self, queue: str) -> str:
        known = host.queue_names()
        if queue not in known:
            raise ValidationError(
                fault("There is no such queue.", "queue_unknown", allowed=sorted(known))
            )
        return queue

    def validate_limit(self, name: str | None) -> str | None:
        if name is None or name == self._limit_of_the_job():
            return name
        team = self.context.get("team")
        known = {limit.name: limit for limit in Limit.objects.of_team(team).kept()} if team else {}
        if name not in known:
            allowed = sorted(known)[:MAX_SHOWN]
            raise ValidationError(
                fault("The team has no such limit.", "limit_unknown", allowed=allowed)
            )
        self._check_key(known[name])
        return name

    def _check_key(self, limit: Limit) -> None:
        """Refuse a limit by a field that no payload of the kind has."""
        kind = kinds.all_kinds().get(getattr(self.root, "kind_name", ""))
        fields = kind.payload().fields if kind else {}
        if limit.by and fields and limit.by not in fields:
            words = f"The limit counts by {limit.by!r}, which no payload of this kind has."
            raise ValidationError(fault(words, "limit.key_unknown", allowed=sorted(fields)))

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        return bodies.terse("policy", attrs)

    def _limit_of_the_job(self) -> str | None:
        """What a job names already stays, although the limit may be archived by now."""
        job = getattr(self.root, "instance", None)
        version = job.current if isinstance(job, Job) else None
        return version.limit.name if version and version.limit else None

"""How instants, lengths of time, schedules and retry rules are said in a sentence."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from accounts.cells import length
from jobs import triggers
from jobs.policies import Jitter, RetryStrategy
from jobs.triggers.words import describe

if TYPE_CHECKING:
    from executions.models import Execution
    from jobs.models import JobVersion
    from jobs.triggers.base import Trigger

LONGEST_QUOTE = 300  # characters of a message; the rest is beside it
INSTANTS = ("anchor", "run_at", "starts_at", "ends_at")


def clock(instant: datetime | None) -> str:
    return f"{instant.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC" if instant else "an unknown time"


def span(took: timedelta) -> str:
    """Say a length of time that is not below zero: ``0.2 s``, ``4 min 5 s``."""
    return length(max(took, timedelta(0)))


def quoted(text: str) -> str:
    """Return what fits into a sentence of ``text``, without a full stop at its end."""
    line = " ".join(text[: 2 * LONGEST_QUOTE].split()).rstrip(".")
    return line if len(line) <= LONGEST_QUOTE else f"{line[:LONGEST_QUOTE]}…"


def because(why: str) -> str:
    """Return ``why`` as the end of a sentence that does without it, too."""
    return f": {quoted(why)}" if why.strip() else ""


def spec_of(version: JobVersion) -> dict[str, Any]:
    """Return the schedule of ``version`` as ``triggers.build`` takes it."""
    spec = dict(version.schedule)
    for name in INSTANTS:
        if isinstance(spec.get(name), str):
            spec[name] = datetime.fromisoformat(spec[name])
    return spec


def trigger_of(version: JobVersion) -> Trigger | None:
    """Return the trigger that ``version`` had, or ``None`` when it makes no sense any more."""
    try:
        return triggers.build(spec_of(version))
    except (triggers.TriggerError, ValueError):
        return None


def in_words(version: JobVersion) -> str:
    """Say when the schedule of ``version`` is due."""
    try:
        words = describe(spec_of(version))
    except (triggers.TriggerError, ValueError):
        return "a schedule that makes no sense any more"
    zone = version.schedule.get("timezone", "UTC")
    return words if zone == "UTC" else f"{words}, {zone}"


def retry_rule(version: JobVersion) -> str:
    """Say how long the retry policy of ``version`` waits."""
    base, cap = _seconds(version.retry_base_seconds), _seconds(version.retry_max_seconds)
    match version.retry_strategy:
        case RetryStrategy.NONE:
            return "none of the job's own, so as long as was asked for"
        case RetryStrategy.FIXED:
            rule = f"{base} each time"
        case RetryStrategy.LINEAR:
            rule = f"{base} more each time, at most {cap}"
        case RetryStrategy.LADDER:
            rule = f"{', '.join(map(_seconds, version.retry_delays))}"
        case _:
            rule = f"{base}, doubled each time up to {cap}"
    spread = ", spread from nothing up to that" if version.retry_jitter == Jitter.FULL else ""
    return f"{rule}{spread}"


def budget(execution: Execution) -> int:
    """Return how many attempts may fail."""
    version = execution.version
    return 1 if version.retry_strategy == RetryStrategy.NONE else version.max_attempts


def _seconds(number: float) -> str:
    return span(timedelta(seconds=number))

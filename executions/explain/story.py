"""What happened to an execution, moment by moment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from executions.explain.words import because, quoted
from executions.reasons import REASONS, Said, say

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from executions.explain.attempts import Tried
    from executions.models import Attempt, Execution, ExecutionEvent


@dataclass(frozen=True, slots=True)
class Moment:
    """Something that happened at an instant."""

    at: datetime
    said: Said


def story(
    execution: Execution,
    attempts: Sequence[Attempt],
    events: Sequence[ExecutionEvent],
    *,
    went: Sequence[Tried],
    exists: Said,
) -> list[Moment]:
    """Tell what happened, the first thing first."""
    moments = [Moment(execution.created_at, exists)]
    for attempt, one in zip(attempts, went, strict=True):
        moments += _of_attempt(execution, attempt, one)
    moments += [_of_event(event) for event in events if event.what != "requested"]
    if execution.finished_at and not attempts and not _has_end(events):
        moments.append(Moment(execution.finished_at, say(execution.reason or execution.status)))
    return sorted(moments, key=lambda moment: moment.at)


def _has_end(events: Sequence[ExecutionEvent]) -> bool:
    return any(event.what in {"skipped", "cancelled"} for event in events)


def _of_attempt(execution: Execution, attempt: Attempt, one: Tried) -> Iterator[Moment]:
    if attempt.queued_at:
        yield Moment(attempt.queued_at, say("queued", queue=execution.queue))
    started = say("started", number=attempt.number, worker=attempt.worker)
    yield Moment(attempt.started_at, started)
    if attempt.finished_at:
        yield Moment(attempt.finished_at, one.went)
        if one.then:
            yield Moment(attempt.finished_at, one.then)


def _of_event(event: ExecutionEvent) -> Moment:
    """Say an event; one that this version does not know is told as it was written."""
    detail: dict[str, Any] = {name: value for name, value in event.detail.items() if value}
    facts = {
        "actor": event.actor or "Chronos",
        "by": f" by {event.actor}" if event.actor else "",
        "why": because(str(detail.get("reason", ""))),
        "again": detail.get("as", "a new execution"),
    }
    if event.what in REASONS:
        return Moment(event.at, say(event.what, **facts))
    facts["what"] = event.what.replace("_", " ").capitalize()
    listed = "; ".join(f"{name}: {value}" for name, value in detail.items())
    facts["detail"] = f" ({quoted(listed)})" if listed else ""
    return Moment(event.at, say("event", **facts))

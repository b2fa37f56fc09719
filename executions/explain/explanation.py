"""The whole story of one execution: why it exists, when it ran, how it went, what comes next."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from executions.explain import attempts as tries
from executions.explain import origin, state
from executions.explain.attempts import Tried, ending
from executions.explain.story import Moment, story
from executions.explain.words import clock, span
from executions.models import FINISHED, Status
from executions.reasons import Said, say

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from executions.models import Attempt, Execution, ExecutionEvent

PUNCTUAL = timedelta(seconds=1)  # later than this is late, and somebody will want to know why
MOST_ATTEMPTS = 100  # the newest; one that is handed back again and again can have any number
MOST_EVENTS = 100


@dataclass(frozen=True, slots=True)
class Explanation:
    """The answers to the questions that people have about an execution, each in a sentence."""

    execution: Execution
    as_of: datetime
    summary: str
    why_it_exists: Said
    was_it_on_time: Said
    how_did_it_go: Sequence[Tried]
    did_it_run_twice: Said
    what_happens_next: Said
    what_may_be_done: Sequence[Said]
    story: Sequence[Moment]


def explain(execution: Execution, *, now: datetime) -> Explanation:
    """Explain ``execution`` as it is ``now``, from its row, attempts and events.

    At most six queries, if ``job``, ``version`` and ``schedule`` are at hand.
    """
    attempts = list(execution.attempts.order_by("-number")[:MOST_ATTEMPTS])[::-1]
    events = list(execution.events.order_by("-id")[:MOST_EVENTS])[::-1]
    exists = origin.why(execution, events)
    waits = state.waiting_on(execution, now=now)
    went = tries.tried(execution, attempts)
    return Explanation(
        execution=execution,
        as_of=now,
        summary=_summary(execution, waits),
        why_it_exists=exists,
        was_it_on_time=_on_time(execution, attempts, now),
        how_did_it_go=went,
        did_it_run_twice=tries.ran_twice(attempts),
        what_happens_next=_next(execution, events, waits),
        what_may_be_done=_may_be_done(execution),
        story=story(execution, attempts, events, went=went, exists=exists),
    )


def _summary(execution: Execution, waits: Said | None) -> str:
    at, number = clock(execution.finished_at), execution.attempt
    match execution.status:
        case Status.SUCCEEDED:
            return f"It succeeded with attempt {number} at {at}."
        case Status.FAILED:
            how = ending(execution.reason or "failed", execution.message)
            return f"It failed for good with attempt {number} at {at}. {how}"
        case Status.SKIPPED:
            return f"It did not run. {ending(execution.reason or 'skipped', '')}"
        case Status.CANCELLED:
            return f"It was cancelled at {at}."
        case Status.RUNNING:
            since = clock(execution.started_at)
            return f"Attempt {number} runs on {execution.worker} since {since}."
    return f"It waits. {waits.sentence}" if waits else "It waits."


def _on_time(execution: Execution, attempts: Sequence[Attempt], now: datetime) -> Said:
    """Compare the first start with when it was due, which a retry has moved on since."""
    if not attempts:
        return _not_started(execution, now)
    first = attempts[0]
    due = first_due(execution, first)
    late = first.started_at - due
    if late <= PUNCTUAL:
        return say("on_time", late=span(late))
    queued = max(first.queued_at or due, due)
    return say(
        "late", late=span(late), queued=span(queued - due), claimed=span(first.started_at - queued)
    )


def first_due(execution: Execution, first: Attempt | None) -> datetime:
    """Return when ``execution`` was due before any retry moved that on."""
    if first is None or execution.due_at <= first.started_at:
        return execution.due_at
    return execution.scheduled_for or execution.created_at


def _not_started(execution: Execution, now: datetime) -> Said:
    if execution.status in FINISHED:
        return say("never_started")
    if execution.due_at > now:
        return say("not_due", due=clock(execution.due_at))
    return say("late_by_now", late=span(now - execution.due_at))


def _next(execution: Execution, events: Sequence[ExecutionEvent], waits: Said | None) -> Said:
    if waits:
        return waits
    if execution.status == Status.RUNNING:
        return say("running", worker=execution.worker, started=clock(execution.started_at))
    again = [event.detail.get("as") for event in events if event.what == "redriven"]
    if again:
        return say("started_again", again=again[-1])
    if execution.status == Status.FAILED and execution.resolved_at is None:
        return say("dead_letter")
    schedule = execution.schedule
    if schedule and schedule.enabled and schedule.next_fire_at:
        return say("next_slot", next=clock(schedule.next_fire_at))
    return say("finished")


def _may_be_done(execution: Execution) -> list[Said]:
    words = {"cancel": ["cancel"], "retry": ["run_again"]}
    codes = [code for action in state.allowed_actions(execution) for code in words[action]]
    if execution.status == Status.FAILED and execution.resolved_at is None:
        codes.append("resolve")
    return [say(code) for code in codes]

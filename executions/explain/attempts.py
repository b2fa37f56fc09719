"""What attempts tell: how each went, why there was another one, whether there was more than one."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING

from executions.explain.words import budget, clock, quoted, retry_rule, span
from executions.models import Attempt, Status
from executions.reasons import Said, reason, say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from executions.models import Execution

BRIEF: dict[str, str] = {
    Attempt.Outcome.FAILED: "failed",
    Attempt.Outcome.LOST: "was lost with its worker",
    Attempt.Outcome.HANDED_BACK: "was handed back",
}


@dataclass(frozen=True, slots=True)
class Tried:
    """An attempt: how it went, and what came of that when it was not the end."""

    number: int
    went: Said
    then: Said | None


def tried(execution: Execution, attempts: Sequence[Attempt]) -> list[Tried]:
    """Say of each of ``attempts``, in order, how it went and why it was tried again or not."""
    return [
        Tried(one.number, _went(one), _then(execution, one, after))
        for one, after in zip_longest(attempts, attempts[1:])
    ]


def ran_twice(attempts: Sequence[Attempt]) -> Said:
    """Say how often the work was started, and why more than once."""
    if not attempts:
        return say("not_started")
    if len(attempts) == 1:
        return say("once")
    whys = [
        f"attempt {one.number} {BRIEF.get(one.outcome, 'ended')} ({one.reason or one.outcome})"
        for one in attempts[:-1]
        if one.outcome
    ]
    return say("more_than_once", starts=len(attempts), why=", ".join(whys))


def ending(code: str, message: str) -> str:
    """Return the sentence of ``code`` with the words of the one case behind it."""
    sentence = say(code).sentence.rstrip(".")
    return f"{sentence}: {quoted(message)}." if message.strip() else f"{sentence}."


def _went(attempt: Attempt) -> Said:
    begun = f"Attempt {attempt.number} "
    if not attempt.finished_at:
        since = clock(attempt.started_at)
        running = say("running", worker=attempt.worker, started=since)
        text = f"{begun}runs on {attempt.worker} since {since}."
        return Said("running", text, running.do, running.link)
    code = attempt.reason or attempt.outcome
    row = reason(code)
    took = span(attempt.finished_at - attempt.started_at)
    text = f"{begun}ran on {attempt.worker} for {took}. {ending(code, attempt.message)}"
    return Said(code, text, row.do, row.link)


def _then(execution: Execution, attempt: Attempt, after: Attempt | None) -> Said | None:
    """Why there was another attempt after this one, or none; ``None`` where that is plain."""
    match attempt.outcome:
        case Attempt.Outcome.FAILED if after:
            return say(
                "again_by_policy", delay=_gap(attempt, after), rule=retry_rule(execution.version)
            )
        case Attempt.Outcome.FAILED:
            return _after_failure(execution, attempt)
        case Attempt.Outcome.LOST | Attempt.Outcome.HANDED_BACK if after:
            return say("again_elsewhere", delay=_gap(attempt, after))
        case Attempt.Outcome.LOST if execution.status == Status.FAILED:
            lost_too_often = execution.reason == "quarantined"
            return None if lost_too_often else say("must_not_start_twice")
    return None


def _after_failure(execution: Execution, attempt: Attempt) -> Said | None:
    if execution.status == Status.SCHEDULED:
        rule = retry_rule(execution.version)
        return say("again_due", due=clock(execution.due_at), rule=rule)
    if execution.status != Status.FAILED:
        return None
    if execution.failures >= budget(execution):
        return say("no_attempts_left", budget=budget(execution))
    return say("not_worth_a_try", reason=attempt.reason or "this failure")


def _gap(attempt: Attempt, after: Attempt) -> str:
    until = after.queued_at or after.started_at
    return span(until - (attempt.finished_at or until))

"""How an attempt ends, in the words and numbers that are stored of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from executions import fingerprints
from executions.fingerprints import NO_CAUSE
from executions.models import FINISHED, Attempt, Execution, Status
from lib.text import storable, storable_json

if TYPE_CHECKING:
    from executions.fingerprints import Cause
    from executions.logs import Chunk

Outcome = Attempt.Outcome

LONGEST_MESSAGE = 10_000  # characters; an exception may carry a whole document
LONGEST_TRACE = 100_000  # characters, from the end: that is where it went wrong

CELERY_STATE = {
    Outcome.SUCCEEDED: "SUCCESS",
    Outcome.FAILED: "FAILURE",
    Outcome.LOST: "FAILURE",
    Outcome.HANDED_BACK: "RETRY",
    Outcome.CANCELLED: "REVOKED",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What is known of how an attempt ended; all of it is stored with the attempt."""

    reason: str = ""
    message: str = ""
    trace: str = ""
    result: Any = None
    output: Sequence[Chunk] = ()


@dataclass(frozen=True)
class Ending:
    """The attempt of ``execution`` ends, which moves it to ``to``.

    ``due_at`` is when it goes on, if it does.
    """

    execution: Execution
    to: Status
    outcome: Outcome
    report: Report
    due_at: datetime | None = None

    @cached_property
    def cause(self) -> Cause:
        """What went wrong, if anything did."""
        if self.outcome not in {Outcome.FAILED, Outcome.LOST}:
            return NO_CAUSE
        report = self.report
        return fingerprints.cause(report.reason, message=report.message, trace=report.trace)

    def changes(self, now: datetime) -> dict[str, Any]:
        """What becomes of the execution's own fields."""
        execution = self.execution
        return {
            "status": self.to.value,
            "reason": self.report.reason[:64],
            "fingerprint": self.cause.fingerprint,
            "message": storable(self.report.message[:LONGEST_MESSAGE]),
            "due_at": self.due_at or execution.due_at,
            "failures": execution.failures + (self.outcome == Outcome.FAILED),
            "losses": execution.losses + (self.outcome == Outcome.LOST),
            "finished_at": now if self.to in FINISHED else None,
        }

    def as_row(self, now: datetime) -> dict[str, Any]:
        """What the statement is told."""
        report = self.report
        return self.changes(now) | {
            "id": self.execution.pk,
            "was": self.execution.status,
            "attempt": self.execution.attempt,
            "result": report.result,
            "outcome": self.outcome.value,
            "error": storable(self.cause.error),
            "trace": storable(report.trace[-LONGEST_TRACE:]),
            "output": [chunk.as_row() for chunk in report.output],
            "celery_state": CELERY_STATE[self.outcome],
            "celery_result": storable_json(_celery_result(self.outcome, report)),
        }

    def show(self, now: datetime) -> None:
        """Let the execution in memory tell what is stored."""
        stored = {"lease_expires_at": None, "result": self.report.result, **self.changes(now)}
        for name, value in stored.items():
            setattr(self.execution, name, value)


def _celery_result(outcome: Outcome, report: Report) -> Any:
    """Say it the way Celery's own result backend would, so that its readers understand."""
    if outcome == Outcome.SUCCEEDED:
        return report.result
    return {
        "exc_type": report.reason or outcome.value,
        "exc_message": [report.message],
        "exc_module": "chronos",
    }

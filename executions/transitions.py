"""The state machine: the one module that writes ``Execution.status``.

Each verb is a compare-and-swap on *(status, attempt)*: whoever comes second gets
``StaleExecutionError`` and drops its work. ``docs/state-machine.md`` has the picture.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import F

from executions import bell, fingerprints, outbox, statements
from executions.fingerprints import NO_CAUSE, Cause
from executions.models import FINISHED, Attempt, Execution, ExecutionEvent, Status
from jobs.models import JobVersion
from lib.text import storable, storable_json

if TYPE_CHECKING:
    from executions.logs import Chunk

PUBLISH_AGAIN = timedelta(seconds=10)  # a message unclaimed for this long may be lost

LONGEST_MESSAGE = 10_000  # characters; an exception may carry a whole document
LONGEST_TRACE = 100_000  # characters, from the end: that is where it went wrong

NEXT: dict[Status, frozenset[Status]] = {
    Status.SCHEDULED: frozenset({Status.QUEUED, Status.SKIPPED, Status.CANCELLED}),
    Status.QUEUED: frozenset({Status.RUNNING, Status.SKIPPED, Status.CANCELLED}),
    Status.RUNNING: frozenset(
        {Status.SUCCEEDED, Status.WAITING, Status.SCHEDULED, Status.FAILED, Status.CANCELLED}
    ),
    Status.WAITING: frozenset(
        {Status.SUCCEEDED, Status.SCHEDULED, Status.FAILED, Status.CANCELLED}
    ),
}

# A migration may have added columns that this process does not know yet.
VERSION_FIELDS = [field.attname for field in JobVersion._meta.concrete_fields]

CELERY_STATE = {
    Attempt.Outcome.SUCCEEDED: "SUCCESS",
    Attempt.Outcome.FAILED: "FAILURE",
    Attempt.Outcome.LOST: "FAILURE",
    Attempt.Outcome.HANDED_BACK: "RETRY",
    Attempt.Outcome.CANCELLED: "REVOKED",
}


class TransitionError(Exception):
    """A verb that could not be carried out."""

    def __init__(self, execution: Execution, message: str) -> None:
        super().__init__(message)
        self.execution = execution


class IllegalTransitionError(TransitionError):
    """The state machine has no such arrow: a bug, or a request that comes too late."""


class StaleExecutionError(TransitionError):
    """Somebody else moved the execution first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What is known of how an attempt ended; all of it is stored with the attempt."""

    reason: str = ""
    message: str = ""
    trace: str = ""
    result: Any = None
    output: Sequence[Chunk] = ()


def queue_all(executions: Sequence[Execution], *, now: datetime) -> None:
    """Move locked, due ``executions`` to ``queued``; one statement for each of their lanes."""
    changes = {"status": Status.QUEUED, "reason": "", "queued_at": now}
    changes |= {"publish_at": now + PUBLISH_AGAIN}
    for lane in {execution.lane for execution in executions}:
        of_lane = [execution for execution in executions if execution.lane == lane]
        Execution.objects.filter(
            pk__in=[execution.pk for execution in of_lane], status=Status.SCHEDULED
        ).update(**changes, lane=lane, publishes=F("publishes") + 1)
        for execution in of_lane:
            _show(execution, **changes)


@transaction.atomic
def skip(execution: Execution, *, now: datetime, reason: str, detail: dict[str, Any]) -> None:
    """The slot will not run, for ``reason`` (``overlap``, ``misfire``, …)."""
    _move(execution, Status.SKIPPED, now=now, reason=reason)
    ExecutionEvent.objects.create(execution=execution, at=now, what="skipped", detail=detail)
    outbox.tell_skipped([execution], now=now)


@transaction.atomic
def skip_all(
    executions: Sequence[Execution], *, now: datetime, reason: str, detail: dict[str, Any]
) -> None:
    """The slots of locked ``executions`` will not run, for ``reason``: three statements for all."""
    changes = {"status": Status.SKIPPED, "reason": reason, "finished_at": now, "publish_at": None}
    ids = [execution.pk for execution in executions]
    waiting = [Status.SCHEDULED, Status.QUEUED]
    Execution.objects.filter(pk__in=ids, status__in=waiting).update(**changes)
    ExecutionEvent.objects.bulk_create(
        ExecutionEvent(execution=execution, at=now, what="skipped", detail=detail)
        for execution in executions
    )
    for execution in executions:
        _show(execution, **changes)
    outbox.tell_skipped(executions, now=now)


def claim(execution_id: UUID, *, worker: str, now: datetime, lease: timedelta) -> Execution | None:
    """Take a queued execution: one statement that raises the attempt and opens its row.

    Returns the execution with its ``version``, or ``None`` when there is nothing to take: the
    message was a duplicate, the execution was cancelled, or the id is unknown.
    """
    rows = Execution.objects.raw(
        statements.CLAIM,
        {
            "id": execution_id,
            "worker": worker,
            "pid": os.getpid(),
            "now": now,
            "lease": lease,
        },
    )
    for execution in rows:
        row = json.loads(execution.version_row)
        known = {name: row[name] for name in VERSION_FIELDS if name in row}
        execution.version = JobVersion(**known)
        return execution
    return None


def wait(execution: Execution, *, now: datetime, until: datetime) -> None:
    """The attempt goes on elsewhere; it must be settled by ``until``."""
    _move(execution, Status.WAITING, now=now, due_at=until)


def succeed(execution: Execution, *, now: datetime, report: Report) -> None:
    """The work is done."""
    _end_attempt(execution, Status.SUCCEEDED, Attempt.Outcome.SUCCEEDED, now=now, report=report)


def retry(execution: Execution, *, now: datetime, report: Report, due_at: datetime) -> None:
    """The try failed and counts; try again at ``due_at``."""
    _end_attempt(
        execution, Status.SCHEDULED, Attempt.Outcome.FAILED, now=now, report=report, due_at=due_at
    )


def hand_back(execution: Execution, *, now: datetime, report: Report) -> None:
    """The worker stopped before the end; another takes the work at once, nothing is counted."""
    _end_attempt(
        execution, Status.SCHEDULED, Attempt.Outcome.HANDED_BACK, now=now, report=report, due_at=now
    )


def lose(execution: Execution, *, now: datetime, report: Report) -> None:
    """The worker is gone; try again at once. Counts as a loss, not as a failure."""
    _end_attempt(
        execution, Status.SCHEDULED, Attempt.Outcome.LOST, now=now, report=report, due_at=now
    )


def fail(
    execution: Execution,
    *,
    now: datetime,
    report: Report,
    outcome: Attempt.Outcome = Attempt.Outcome.FAILED,
) -> None:
    """The last try failed; ``outcome`` says whether it ended badly or its worker was lost."""
    _end_attempt(execution, Status.FAILED, outcome, now=now, report=report)


@transaction.atomic
def cancel(execution: Execution, *, now: datetime, actor: str, reason: str = "cancelled") -> None:
    """Nobody wants this any more. A running attempt is stopped at its next lease renewal."""
    report = Report(reason=reason, message=f"Cancelled by {actor}.")
    _end_attempt(execution, Status.CANCELLED, Attempt.Outcome.CANCELLED, now=now, report=report)
    ExecutionEvent.objects.create(execution=execution, at=now, what="cancelled", actor=actor)


def allowed(execution: Execution, to: Status) -> bool:
    """Say whether the state machine has an arrow from where ``execution`` is to ``to``."""
    return to in NEXT.get(Status(execution.status), frozenset())


def _check(execution: Execution, to: Status) -> None:
    if not allowed(execution, to):
        raise IllegalTransitionError(execution, f"{execution}: {execution.status} -> {to}")


def _move(execution: Execution, to: Status, *, now: datetime, **changes: Any) -> None:
    _check(execution, to)
    changes |= {"status": to, "lease_expires_at": None}
    changes["finished_at"] = now if to in FINISHED else None
    unmoved = Execution.objects.filter(
        pk=execution.pk, status=execution.status, attempt=execution.attempt
    )
    if not unmoved.update(**changes):
        raise StaleExecutionError(execution, f"{execution}: no longer {execution.status}")
    _show(execution, **changes)


def _end_attempt(
    execution: Execution,
    to: Status,
    outcome: Attempt.Outcome,
    *,
    now: datetime,
    report: Report,
    due_at: datetime | None = None,
) -> None:
    """End the attempt in one guarded statement: status, attempt row, output, results row."""
    _check(execution, to)
    cause = _cause(outcome, report)
    changes: dict[str, Any] = {
        "status": to.value,
        "reason": report.reason[:64],
        "message": storable(report.message[:LONGEST_MESSAGE]),
        "fingerprint": cause.fingerprint,
        "due_at": due_at or execution.due_at,
        "failures": execution.failures + (outcome == Attempt.Outcome.FAILED),
        "losses": execution.losses + (outcome == Attempt.Outcome.LOST),
        "finished_at": now if to in FINISHED else None,
    }
    with connection.cursor() as cursor:
        cursor.execute(
            statements.END_ATTEMPT,
            changes
            | {
                "id": execution.pk,
                "was": execution.status,
                "attempt": execution.attempt,
                "now": now,
                "outcome": outcome.value,
                "error": storable(cause.error),
                "trace": storable(report.trace[-LONGEST_TRACE:]),
                "result": storable_json(report.result),
                "output": storable_json([chunk.as_row() for chunk in report.output]),
                "celery_state": CELERY_STATE[outcome],
                "celery_result": storable_json(_celery_result(outcome, report)),
            },
        )
        moved, made_room = cursor.fetchone()
    if not moved:
        raise StaleExecutionError(execution, f"{execution}: no longer {execution.status}")
    if made_room:  # for somebody who waits on what this one held
        transaction.on_commit(bell.ring, robust=True)
    _show(execution, lease_expires_at=None, result=report.result, **changes)


def _cause(outcome: Attempt.Outcome, report: Report) -> Cause:
    if outcome not in {Attempt.Outcome.FAILED, Attempt.Outcome.LOST}:
        return NO_CAUSE
    return fingerprints.cause(report.reason, message=report.message, trace=report.trace)


def _celery_result(outcome: Attempt.Outcome, report: Report) -> Any:
    """Say it the way Celery's own result backend would, so that its readers understand."""
    if outcome == Attempt.Outcome.SUCCEEDED:
        return report.result
    return {
        "exc_type": report.reason or outcome.value,
        "exc_message": [report.message],
        "exc_module": "chronos",
    }


def _show(execution: Execution, **changes: Any) -> None:
    for name, value in changes.items():
        setattr(execution, name, value)

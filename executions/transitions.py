"""The state machine: the one module that writes ``Execution.status``.

Each verb is a compare-and-swap on *(status, attempt)*: whoever comes second gets
``StaleExecutionError`` and drops its work. ``docs/state-machine.md`` has the picture.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import connection, transaction

from executions import bell, express, outbox, statements
from executions.models import FINISHED, Execution, ExecutionEvent, Status
from executions.models.lines import AGEING
from executions.reports import Ending, Outcome, Report
from executions.statements import Forms
from jobs.models import JobVersion, loaded, prepared_cursor
from lib.text import storable_json

if TYPE_CHECKING:
    from django.db.backends.utils import CursorWrapper

PUBLISH_AGAIN = timedelta(seconds=10)  # a message unclaimed for this long may be lost

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

# What a message needs, in the order of the model and of ``express``.
MESSAGE_FIELDS = ["id", "kind", "queue", "attempt", "publish_at", "lane"]

# A migration may have added columns that this process does not know yet.
VERSION_FIELDS = [field.attname for field in JobVersion._meta.concrete_fields]

# A row that comes back has the columns that this process knows, whatever a migration adds.
COLUMNS = ", ".join(f'claimed."{field.column}"' for field in Execution._meta.concrete_fields)
CLAIM = Forms.of(statements.CLAIM, columns=COLUMNS)
END_ATTEMPTS = Forms.of(statements.END_ATTEMPTS)


class TransitionError(Exception):
    """A verb that could not be carried out."""

    def __init__(self, execution: Execution, message: str) -> None:
        super().__init__(message)
        self.execution = execution


class IllegalTransitionError(TransitionError):
    """The state machine has no such arrow: a bug, or a request that comes too late."""


class StaleExecutionError(TransitionError):
    """Somebody else moved the execution first."""


def queue_all(executions: Sequence[Execution], *, now: datetime) -> None:
    """Move locked, due ``executions`` to ``queued``, each in its lane: one statement."""
    if not executions:
        return
    publish_at = now + PUBLISH_AGAIN
    ids = [execution.pk for execution in executions]
    lanes = [execution.lane for execution in executions]
    values: dict[str, Any] = {"ids": ids, "lanes": lanes, "now": now, "publish_at": publish_at}
    with connection.cursor() as cursor:
        cursor.execute(statements.QUEUE, values)
    changes = {"status": Status.QUEUED, "reason": "", "queued_at": now, "publish_at": publish_at}
    for execution in executions:
        _show(execution, **changes)


def queue_unhindered(now: datetime, *, window: int) -> tuple[list[Execution], bool]:
    """Move what is due and what nothing holds back to ``queued``, in one statement.

    Returns it, with what a message needs, and whether more is due that must be decided about.
    ``window`` is how many may be in the broker for a queue.
    """
    values: dict[str, Any] = {"now": now, "publish_at": now + PUBLISH_AGAIN, "window": window}
    values |= {"most": express.MOST, "ageing": AGEING.total_seconds()}
    with prepared_cursor() as cursor:
        cursor.execute(express.UNHINDERED, values)
        rows = cursor.fetchall()
    queued = [
        Execution.from_db(connection.alias, MESSAGE_FIELDS, row) for _, *row in rows if row[0]
    ]
    return queued, rows[0][0]


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
    """Take a queued execution, as ``claim_all``; ``None`` when there is nothing to take."""
    return next(iter(claim_all([execution_id], worker=worker, now=now, lease=lease)), None)


def claim_all(
    ids: Sequence[UUID], *, worker: str, now: datetime, lease: timedelta
) -> list[Execution]:
    """Take queued executions: one statement that raises their attempts and opens their rows.

    Returns those that were taken with their ``version``, in the order of ``ids``. Of the others
    the message was a duplicate, or they were cancelled, or the id is unknown.
    """
    values: dict[str, Any] = {
        "ids": list(ids),
        "worker": worker,
        "pid": os.getpid(),
        "now": now,
        "lease": lease,
    }
    with _executed(CLAIM, values) as cursor:
        names = [column.name for column in cursor.description]
        found = {(one := _claimed(names, row)).pk: one for row in cursor.fetchall()}
    versions = {
        row.version_id: _version(row.version_row) for row in found.values() if row.version_row
    }
    for execution in found.values():
        execution.version = versions[execution.version_id]
    return [found[pk] for pk in dict.fromkeys(ids) if pk in found]


def _claimed(names: Sequence[str], row: Sequence[Any]) -> Execution:
    execution = loaded(Execution, zip(names, row, strict=True))
    if isinstance(execution.payload, str):
        execution.payload = json.loads(execution.payload)
    if isinstance(execution.result, str):
        execution.result = json.loads(execution.result)
    return execution


def _version(row: str) -> JobVersion:
    fields = json.loads(row)
    return loaded(JobVersion, ((name, fields[name]) for name in VERSION_FIELDS if name in fields))


def wait(execution: Execution, *, now: datetime, until: datetime) -> None:
    """The attempt goes on elsewhere; it must be settled by ``until``."""
    _move(execution, Status.WAITING, now=now, due_at=until)


def succeed(execution: Execution, *, now: datetime, report: Report) -> None:
    """The work is done."""
    end(Ending(execution, Status.SUCCEEDED, Outcome.SUCCEEDED, report), now=now)


def retry(execution: Execution, *, now: datetime, report: Report, due_at: datetime) -> None:
    """The try failed and counts; try again at ``due_at``."""
    end(Ending(execution, Status.SCHEDULED, Outcome.FAILED, report, due_at), now=now)


def hand_back(execution: Execution, *, now: datetime, report: Report) -> None:
    """The worker stopped before the end; another takes the work at once, nothing is counted.

    It stays due since when it was, so it goes before what has become due meanwhile.
    """
    end(Ending(execution, Status.SCHEDULED, Outcome.HANDED_BACK, report), now=now)


def lose(execution: Execution, *, now: datetime, report: Report) -> None:
    """The worker is gone; try again at once, as with ``hand_back``.

    Counts as a loss, not as a failure.
    """
    end(Ending(execution, Status.SCHEDULED, Outcome.LOST, report), now=now)


def fail(
    execution: Execution, *, now: datetime, report: Report, outcome: Outcome = Outcome.FAILED
) -> None:
    """The last try failed; ``outcome`` says whether it ended badly or its worker was lost."""
    end(Ending(execution, Status.FAILED, outcome, report), now=now)


@transaction.atomic
def cancel(execution: Execution, *, now: datetime, actor: str, reason: str = "cancelled") -> None:
    """Nobody wants this any more. A running attempt is stopped at its next lease renewal."""
    report = Report(reason=reason, message=f"Cancelled by {actor}.")
    end(Ending(execution, Status.CANCELLED, Outcome.CANCELLED, report), now=now)
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


def end(ending: Ending, *, now: datetime) -> None:
    """End an attempt."""
    if end_all([ending], now=now):
        execution = ending.execution
        raise StaleExecutionError(execution, f"{execution}: no longer {execution.status}")


def end_all(endings: Sequence[Ending], *, now: datetime) -> list[Execution]:
    """End the attempts in one guarded statement: status, attempt row, output, results row.

    Returns the executions that somebody else had moved on before, of which nothing was stored.
    """
    for ending in endings:
        _check(ending.execution, ending.to)
    values: dict[str, Any] = {
        "ids": [ending.execution.pk for ending in endings],
        "endings": storable_json([ending.as_row(now) for ending in endings]),
        "now": now,
    }
    with _executed(END_ATTEMPTS, values) as cursor:
        moved, made_room = cursor.fetchone()
    if made_room:  # for somebody who waits on what one of these held
        transaction.on_commit(bell.ring, robust=True)
    done = set(moved)
    for ending in endings:
        if ending.execution.pk in done:
            ending.show(now)
    return [ending.execution for ending in endings if ending.execution.pk not in done]


@contextmanager
def _executed(forms: Forms, values: dict[str, Any]) -> Iterator[CursorWrapper]:
    """Execute ``forms`` for the rows of ``values["ids"]``; somebody may wait for a single one."""
    is_one = len(values["ids"]) == 1
    with prepared_cursor() if is_one else connection.cursor() as cursor:
        cursor.execute(forms.one if is_one else forms.many, values)
        yield cursor


def _show(execution: Execution, **changes: Any) -> None:
    for name, value in changes.items():
        setattr(execution, name, value)

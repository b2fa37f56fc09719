"""Reads what the database and the target recorded into what the verdict compares."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from executions.models import Attempt, Execution, ExecutionEvent
from tests.crash.app import record
from tests.crash.facts import AttemptRow, Event, ExecutionRow, History, Start

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path
    from uuid import UUID

    from tests.target import Target


def read(jobs: Iterable[UUID], *, target: Target, file: Path) -> History:
    """All that is known of the executions of ``jobs``, and every start that names one of them.

    The starts are read first: a claim is stored before what it claims can start.
    """
    seen = list(starts(target, file))
    rows = [_execution(row) for row in Execution.objects.filter(job__in=jobs)]
    known = {row.id for row in rows}
    attempts = Attempt.objects.filter(execution__job__in=jobs)
    events = ExecutionEvent.objects.filter(execution__job__in=jobs)
    return History(
        executions=rows,
        attempts=[_attempt(one) for one in attempts],
        events=[Event(execution=str(one.execution_id), what=one.what) for one in events],
        starts=[one for one in seen if one.execution in known],
    )


def starts(target: Target, file: Path) -> Iterator[Start]:
    """Every start that the target or the file saw."""
    for hit in list(target.hits):
        if hit.execution:
            yield Start(execution=hit.execution, attempt=hit.attempt, at=instant(hit.at))
    for line in record.lines(file):
        if line["what"] == "start":
            at = instant(line["at"])
            yield Start(execution=line["execution"], attempt=line["attempt"], at=at)


def instant(seconds: float) -> datetime:
    """``seconds`` since the epoch as aware UTC."""
    return datetime.fromtimestamp(seconds, UTC)


def _execution(row: Execution) -> ExecutionRow:
    until = row.result.get("last") if row.status == "skipped" and row.result else None
    return ExecutionRow(
        id=str(row.pk),
        status=row.status,
        reason=row.reason,
        schedule=str(row.schedule_id) if row.schedule_id else None,
        slot=row.scheduled_for,
        until=datetime.fromisoformat(until) if until else None,
        finished_at=row.finished_at,
        wrote=_writer(row.result) if row.status == "succeeded" else None,
    )


def _writer(result: Any) -> int | None:
    """The attempt that a result names, be it of a function or of the target's answer."""
    if isinstance(result, dict) and "body" in result:
        result = json.loads(result["body"])
    return result.get("attempt") if isinstance(result, dict) else None


def _attempt(row: Attempt) -> AttemptRow:
    return AttemptRow(
        execution=str(row.execution_id),
        number=row.number,
        started_at=row.started_at,
        finished_at=row.finished_at,
        outcome=row.outcome,
    )

"""What the page of one execution shows, read in a fixed number of queries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django_celery_results.models import TaskResult

from accounts.badges import badge
from accounts.cells import instant, length, pretty
from executions import explain
from executions.models import LogChunk

if TYPE_CHECKING:
    from datetime import datetime

    from executions.models import Attempt, Execution

MOST_CHUNKS = 1000  # of output; the API has it all
MOST_EVENTS = 100


def context(execution: Execution, *, now: datetime) -> dict[str, Any]:
    payload = execution.version.payload if execution.payload is None else execution.payload
    chunks = list(LogChunk.objects.filter(execution=execution).order_by("-id")[: MOST_CHUNKS + 1])
    return {
        "badge": badge(execution.status),
        "explained": explain.explain(execution, now=now),
        "times": _times(execution, now),
        "attempts": _attempts(execution),
        "events": execution.events.all()[:MOST_EVENTS],
        "chunks": chunks[MOST_CHUNKS - 1 :: -1],
        "more_chunks": len(chunks) > MOST_CHUNKS,
        "payload_json": pretty(payload),
        "result_json": None if execution.result is None else pretty(execution.result),
    }


def _times(execution: Execution, now: datetime) -> list[tuple[str, str]]:
    return [
        ("Due", instant(execution.due_at)),
        ("Started", instant(execution.started_at)),
        ("Finished", instant(execution.finished_at)),
        ("Took", length(explain.duration(execution, now=now))),
        ("Late by", length(explain.lateness(execution, now=now))),
    ]


def _attempts(execution: Execution) -> list[dict[str, Any]]:
    attempts = list(execution.attempts.order_by("number"))
    ids = [attempt.task_id for attempt in attempts]
    results = dict(TaskResult.objects.filter(task_id__in=ids).values_list("task_id", "pk"))
    return [_attempt(attempt, results.get(attempt.task_id)) for attempt in attempts]


def _attempt(attempt: Attempt, result: int | None) -> dict[str, Any]:
    queued, started, ended = attempt.queued_at, attempt.started_at, attempt.finished_at
    return {
        "attempt": attempt,
        "badge": badge(attempt.outcome or "running"),
        "started": instant(started),
        "waited": length(started - queued if queued else None),
        "took": length(ended - started if ended else None),
        "result": result,
    }

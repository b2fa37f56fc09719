"""What is stored, read in one round trip after each step, and what is said when it is wrong."""

from __future__ import annotations

from typing import Any

from django.db import connection

Row = dict[str, Any]

LOOK = """
SELECT id, job_id, schedule_id, scheduled_for, origin, status, reason, attempt, failures, losses,
    due_at, finished_at, lease_expires_at, result
FROM executions_execution
ORDER BY id;
SELECT job.id, paused_at, archived_at, schedule.id AS schedule_id, anchor, every_seconds, overlap
FROM jobs_job AS job
JOIN jobs_schedule AS schedule ON schedule.job_id = job.id
"""


class Violation(AssertionError):  # noqa: N818  a finding, not an error of the test
    """The engine broke a promise."""


def must(holds: object, sentence: str) -> None:
    """Raise ``Violation`` unless the promise in ``sentence`` holds."""
    if not holds:
        raise Violation(sentence)


def look() -> tuple[list[Row], list[Row]]:
    """Return all executions, and all jobs with their schedules."""
    with connection.cursor() as cursor:
        cursor.execute(LOOK)
        executions = _rows(cursor)
        cursor.nextset()
        return executions, _rows(cursor)


def _rows(cursor: Any) -> list[Row]:
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

"""What is stored, read in one round trip after each step, and what is said when it is wrong."""

from __future__ import annotations

from typing import Any, NamedTuple

from django.db import connection

Row = dict[str, Any]

LOOK = """
SELECT id, job_id, schedule_id, scheduled_for, origin, status, reason, attempt, failures, losses,
    due_at, finished_at, lease_expires_at, result, queue, limit_key
FROM executions_execution
ORDER BY id;
SELECT job.id, paused_at, archived_at, concurrency, schedule.id AS schedule_id, anchor,
    every_seconds, overlap, misfire, catch_up_max, missed
FROM jobs_job AS job
JOIN jobs_schedule AS schedule ON schedule.job_id = job.id
JOIN jobs_jobversion AS version ON version.id = job.current_id;
SELECT name, concurrency, paused_at FROM executions_queue;
SELECT id, concurrency, rate, per_seconds FROM jobs_limit;
SELECT message FROM executions_auditfinding
"""


class Violation(AssertionError):  # noqa: N818  a finding, not an error of the test
    """The engine broke a promise."""


def must(holds: object, sentence: str) -> None:
    """Raise ``Violation`` unless the promise in ``sentence`` holds."""
    if not holds:
        raise Violation(sentence)


class Look(NamedTuple):
    """All rows that matter, as they are at one moment."""

    executions: list[Row]
    jobs: list[Row]
    queues: list[Row]
    limits: list[Row]
    findings: list[Row]


def look() -> Look:
    with connection.cursor() as cursor:
        cursor.execute(LOOK)
        answers = [_rows(cursor)]
        while cursor.nextset():
            answers.append(_rows(cursor))
        return Look(*answers)


def _rows(cursor: Any) -> list[Row]:
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

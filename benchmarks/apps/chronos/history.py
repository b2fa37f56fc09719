"""A long history: one real execution, with all that belongs to it, copied over past weeks."""

from __future__ import annotations

from typing import Any

from django.db import connection

from executions.models import Attempt, Execution, ExecutionEvent, Status
from executions.models.rollup import BOUNDS, EVERYBODY
from lib.patience import FOR_EVER, patience

CHUNK = 20_000  # executions a statement
DAYS = 28  # less than the default retention
FAILED = 25  # one of so many failed
UNRESOLVED = 40  # and one of so many of those is still a dead letter

COPY = """
WITH made AS (
    INSERT INTO executions_execution ({execution})
    SELECT {copied_execution}
    FROM executions_execution AS model, generate_series(%(from)s, %(to)s) AS n,
        LATERAL (
            SELECT now() - %(days)s * (%(count)s - n) / %(count)s::float * interval '1 day' AS at
        ) AS instant
    WHERE model.id = %(model)s
    RETURNING id
), attempts AS (
    INSERT INTO executions_attempt ({attempt}) SELECT {copied_attempt}
    FROM executions_attempt AS model, made WHERE model.execution_id = %(model)s
), events AS (
    INSERT INTO executions_executionevent ({event}) SELECT {copied_event}
    FROM executions_executionevent AS model, made WHERE model.execution_id = %(model)s
)
SELECT count(*) FROM made
"""
OK = "n %% %(failed)s > 0"
DEAD = "n %% (%(failed)s * %(unresolved)s) = 0"
CHANGED = {  # of an execution; ids sort by time, as new ones do
    "id": "overlay(overlay(lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0')"
    " || substr(md5(n::text), 1, 20) placing '7' from 13 for 1) placing '8' from 17 for 1)::uuid",
    **dict.fromkeys(("created_at", "due_at", "queued_at", "started_at"), "at"),
    "finished_at": "at + interval '1 second'",
    "status": f"CASE WHEN {OK} THEN model.status ELSE 'failed' END",
    "reason": f"CASE WHEN {OK} THEN model.reason ELSE 'raised' END",
    "fingerprint": f"CASE WHEN {OK} THEN '' ELSE md5((n / 100 %% 20)::text) END",
    "resolved_at": f"CASE WHEN {OK} OR {DEAD} THEN NULL ELSE at END",
}
# The statistics that would have been added up meanwhile: as much in each stretch of time.
ADD_UP = """
INSERT INTO executions_rollup (subject, grain, at, queue, started, succeeded, failed, skipped,
    cancelled, retried, lost, late_seconds, took_seconds, late, took)
SELECT subject, grain, at, queue, n, n - n / %(failed)s, n / %(failed)s, 0, 0, 0, 0, n / 10.0, n,
    array_fill(n / %(classes)s, ARRAY[%(classes)s]), array_fill(n / %(classes)s, ARRAY[%(classes)s])
FROM (VALUES ('minute', 1440), ('hour', 24), ('day', 1)) AS length (grain, a_day),
    LATERAL (SELECT %(count)s::bigint / (%(days)s * a_day)) AS share (n),
    LATERAL generate_series(date_trunc(grain, now() - %(days)s * interval '1 day', 'UTC'), now(),
        ('1 ' || grain)::interval) AS at,
    (SELECT team_id, queue FROM executions_execution WHERE id = %(model)s
        UNION ALL SELECT %(everybody)s, queue FROM executions_execution WHERE id = %(model)s
        UNION ALL SELECT job_id, '' FROM executions_execution WHERE id = %(model)s
    ) AS whose (subject, queue)
WHERE queue <> '' OR grain <> 'minute'
ON CONFLICT DO NOTHING
"""


def history(count: int) -> int:
    """Copy a succeeded execution ``count`` times, with its attempt and its events.

    Returns the bytes that the database has grown by.
    """
    model = Execution.objects.filter(status=Status.SUCCEEDED).first()
    if model is None:
        raise LookupError("there is no execution to copy")
    before = _size()
    values: dict[str, Any] = {"model": model.pk, "count": count, "days": DAYS}
    values |= {"failed": FAILED, "unresolved": UNRESOLVED}
    values |= {"everybody": EVERYBODY, "classes": len(BOUNDS) + 1}
    copy = _copy()
    with patience(FOR_EVER), connection.cursor() as cursor:
        cursor.execute(
            "SET session_replication_role = replica"
        )  # copies need no foreign key checks
        for begin in range(1, count + 1, CHUNK):
            end = min(begin + CHUNK - 1, count)
            cursor.execute(copy, {**values, "from": begin, "to": end})
        cursor.execute("RESET session_replication_role")
        cursor.execute(ADD_UP, values)
        cursor.execute("VACUUM ANALYZE executions_execution, executions_attempt")
        cursor.execute("VACUUM ANALYZE executions_executionevent")
    return _size() - before


def _copy() -> str:
    """The statement, with all columns that the models have."""
    told = {}
    belongings = (("attempt", Attempt), ("event", ExecutionEvent))
    for name, model in (("execution", Execution), *belongings):
        changed = CHANGED if model is Execution else {"execution_id": "made.id"}
        fields = [one.column for one in model._meta.concrete_fields if one.column]
        columns = [column for column in fields if column != "id" or column in changed]
        told[name] = ", ".join(columns)
        told[f"copied_{name}"] = ", ".join(changed.get(one, f"model.{one}") for one in columns)
    return COPY.format(**told)


def _size() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_database_size(current_database())")
        return int(cursor.fetchone()[0])

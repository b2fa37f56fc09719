"""A long history: one real execution, with all that belongs to it, copied over the past month."""

from __future__ import annotations

from typing import Any

from django.db import connection

from executions.models import Execution, Status

CHUNK = 20_000  # executions a statement
DAYS = 30
FAILED = 25  # one of so many failed
UNRESOLVED = 40  # and one of so many of those is still a dead letter

# Every column is the model's but those named here, whatever columns there are. Ids sort by time.
COPY = """
WITH made AS (
    INSERT INTO executions_execution
    SELECT (jsonb_populate_record(model, jsonb_build_object(
        'id', overlay(overlay(
            lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0')
            || substr(md5(n::text), 1, 20) placing '7' from 13 for 1) placing '8' from 17 for 1),
        'created_at', at, 'due_at', at, 'queued_at', at, 'started_at', at,
        'finished_at', at + interval '1 second'
    ) || CASE WHEN n %% %(failed)s > 0 THEN '{}'::jsonb ELSE jsonb_build_object(
        'status', 'failed', 'reason', 'raised', 'fingerprint', md5((n / 100 %% 20)::text),
        'resolved_at', CASE WHEN n %% (%(failed)s * %(unresolved)s) > 0 THEN at END
    ) END)).*
    FROM executions_execution AS model, generate_series(%(from)s, %(to)s) AS n,
        LATERAL (
            SELECT now() - %(days)s * (%(count)s - n) / %(count)s::float * interval '1 day' AS at
        ) AS instant
    WHERE model.id = %(model)s
    RETURNING id
), attempts AS (
    INSERT INTO executions_attempt
    SELECT (jsonb_populate_record(model, jsonb_build_object('execution_id', made.id,
        'id', nextval(pg_get_serial_sequence('executions_attempt', 'id'))))).*
    FROM executions_attempt AS model, made WHERE model.execution_id = %(model)s
), events AS (
    INSERT INTO executions_executionevent
    SELECT (jsonb_populate_record(model, jsonb_build_object('execution_id', made.id,
        'id', nextval(pg_get_serial_sequence('executions_executionevent', 'id'))))).*
    FROM executions_executionevent AS model, made WHERE model.execution_id = %(model)s
)
SELECT count(*) FROM made
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
    with connection.cursor() as cursor:
        for begin in range(1, count + 1, CHUNK):
            end = min(begin + CHUNK - 1, count)
            cursor.execute(COPY, {**values, "from": begin, "to": end})
        cursor.execute("VACUUM ANALYZE executions_execution, executions_attempt")
        cursor.execute("VACUUM ANALYZE executions_executionevent")
    return _size() - before


def _size() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_database_size(current_database())")
        return int(cursor.fetchone()[0])

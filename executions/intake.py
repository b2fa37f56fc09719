"""How an execution that somebody wants comes into the world: its row, its event, and often queued.

What schedules make comes by ``ledger``.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from django.db import connection

from executions.heartbeats import SILENT_AFTER
from executions.models import ExecutionEvent, Origin, Status
from executions.models.execution import Seen
from executions.models.fleet import io_kinds
from executions.transitions import PUBLISH_AGAIN
from jobs.kinds.base import Fleet
from jobs.models import prepared_cursor

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

    from executions.models import Execution
    from jobs.models import Job, JobVersion

MOST_ROWS = 1_000  # a statement
MOST_AT_ONCE = 250  # in flight or waiting in a queue: half of the smallest window
LEAST_AT_ONCE = 16  # also where no worker is known, or one of few slots
REQUESTED = "requested"  # the event that says who wanted it, and why

# Says of each row what ``Execution.of`` says; a test compares the two. ``crowd`` has a row if those
# who are asked for may be queued at once.
INSERT = """
WITH asked AS (
    SELECT * FROM json_to_recordset(%(rows)s) AS asked (id uuid, payload jsonb, priority smallint,
        limit_key text, due_at timestamptz, start_by timestamptz, detail jsonb)
), {crowd}, stored AS (
    INSERT INTO executions_execution
        (id, team_id, job_id, version_id, origin, payload, kind, queue, priority, limit_id,
         limit_key, start_by, status, queued_at, publish_at, publishes, lane, reason, message,
         worker, due_at, created_at, attempt, failures, losses)
    SELECT id, %(team)s, %(job)s, %(version)s, %(origin)s, payload, %(kind)s, %(queue)s, priority,
        %(limit)s, limit_key, start_by,
        CASE WHEN has_room THEN 'queued' ELSE 'scheduled' END,
        CASE WHEN has_room THEN %(now)s END,
        CASE WHEN has_room THEN %(publish_at)s END,
        CASE WHEN has_room THEN 1 ELSE 0 END,
        CASE WHEN has_room THEN priority ELSE 0 END,
        '', '', '', due_at, %(now)s, 0, 0, 0
    FROM asked LEFT JOIN crowd ON true
), told AS (
    INSERT INTO executions_executionevent (execution_id, at, what, actor, detail)
    SELECT id, %(now)s, %(what)s, %(actor)s, detail FROM asked
)
{answer}
"""

NOBODY = "crowd AS (SELECT false AS has_room)"

# Takes no lock of the queue: what callers at one moment may overshoot fits into the rest of its
# window. No ``status`` of another row is compared with anything but words, so that the planner
# sees which index is meant.
CROWD = """
fleet AS (
    SELECT count(*) > 0 AS lives, coalesce(sum(slots), 0) AS slots FROM executions_worker
    WHERE heartbeat_at > %(fresh)s AND stopped_at IS NULL AND fleet = %(fleet)s
), line AS (
    SELECT 1 + least(%(most)s, greatest(%(least)s, fleet.slots)) AS too_many
    FROM executions_queue, fleet
    WHERE name = %(queue)s AND paused_at IS NULL AND concurrency IS NULL AND "window" IS NULL
), crowd AS (
    SELECT 1 + (
        SELECT count(*) FROM (
            SELECT FROM executions_execution
            WHERE queue = %(queue)s AND status IN ('queued', 'running')
                AND (kind = ANY(%(io_kinds)s)) = %(is_io)s
            LIMIT (SELECT too_many FROM line)
        ) AS busy
    ) + (
        SELECT count(*) FROM (
            SELECT FROM executions_execution
            WHERE queue = %(queue)s AND status = 'scheduled' AND blocked_on = ''
                AND due_at <= %(now)s AND (kind = ANY(%(io_kinds)s)) = %(is_io)s
            LIMIT (SELECT too_many FROM line)
        ) AS waiting
    ) < too_many AS has_room
    FROM line
)
"""
SEEN = """
SELECT (SELECT has_room FROM crowd), (SELECT lives FROM fleet), EXISTS (
    SELECT FROM executions_beat WHERE heartbeat_at > %(fresh)s AND stopped_at IS NULL)
"""
STORE = INSERT.format(crowd=NOBODY, answer="SELECT")
STORE_AND_QUEUE = INSERT.format(crowd=CROWD, answer=SEEN)


def take_in(execution: Execution, *, actor: str, reason: str, now: datetime) -> None:
    """Store a new execution with its event, as one that is queued if it may go at once.

    ``execution`` comes of ``Execution.of``; it gets ``request``, its event. It may go when it is
    due, has no limit, its queue is open and has only the limits that every queue has, and when its
    fleet has slots for all that are in flight or wait there: then nobody is overtaken.
    ``execution.seen`` is set when that was looked at. Everything else waits as any other does; of
    a crowd the beats take many at once.
    """
    detail = {"reason": reason}
    values = _values(execution.job, execution.version, actor=actor, now=now)
    values |= {"rows": f"[{_row_of(execution, detail)}]", "origin": str(execution.origin)}
    with prepared_cursor() as cursor:
        if _may_go(execution, now):
            cursor.execute(STORE_AND_QUEUE, values | _of_crowd(execution, now))
            _show(execution, *cursor.fetchone(), now=now)
        else:
            cursor.execute(STORE, values)
    execution.request = ExecutionEvent(
        execution=execution, at=now, what=REQUESTED, actor=actor, detail=detail
    )


def store(job: Job, rows: Sequence[str], *, actor: str, now: datetime) -> None:
    """Store executions of ``job`` with their events: one statement for ``MOST_ROWS`` of ``rows``.

    Each is what ``row`` returns. More of them than one statement takes need a transaction if they
    are to be there all or not at all.
    """
    assert job.current is not None  # noqa: S101  definitions never leave a job without a version
    values = _values(job, job.current, actor=actor, now=now) | {"origin": str(Origin.MANUAL)}
    with connection.cursor() as cursor:
        for start in range(0, len(rows), MOST_ROWS):
            chunk = ",".join(rows[start : start + MOST_ROWS])
            cursor.execute(STORE, values | {"rows": f"[{chunk}]"})


def row(  # noqa: PLR0913  the columns in which rows differ
    pk: UUID,
    *,
    payload: str,
    priority: int,
    limit_key: str,
    due_at: datetime,
    start_by: datetime | None,
    detail: str,
) -> str:
    """Return a row for ``store``; ``payload`` and ``detail`` are JSON already."""
    until = f'"{start_by.isoformat()}"' if start_by else "null"
    return (
        f'{{"id":"{pk}","payload":{payload},"priority":{priority:d},"detail":{detail},'
        f'"limit_key":{json.dumps(limit_key)},"due_at":"{due_at.isoformat()}","start_by":{until}}}'
    )


def _may_go(execution: Execution, now: datetime) -> bool:
    """Say whether the queue and its fleet alone decide about it."""
    is_in_time = execution.start_by is None or execution.start_by > now
    has_limit = execution.limit_id or execution.version.concurrency
    return execution.due_at <= now and is_in_time and not has_limit


def _of_crowd(execution: Execution, now: datetime) -> dict[str, Any]:
    return {
        "fleet": execution.fleet.value,
        "is_io": execution.fleet is Fleet.IO,
        "io_kinds": io_kinds(),
        "least": LEAST_AT_ONCE,
        "most": MOST_AT_ONCE,
        "fresh": now - SILENT_AFTER,
    }


def _show(
    execution: Execution, has_room: bool | None, worker: bool, beat: bool, *, now: datetime
) -> None:
    """Let ``execution`` say what its row says. Without ``has_room`` its queue decides itself."""
    execution.seen = Seen(crowded=has_room is False, worker=worker, beat=beat)
    if has_room:
        execution.status = Status.QUEUED
        execution.queued_at, execution.publish_at = now, now + PUBLISH_AGAIN
        execution.lane, execution.publishes = execution.priority, 1


def _values(job: Job, version: JobVersion, *, actor: str, now: datetime) -> dict[str, Any]:
    """What all rows of a statement have in common."""
    return {
        "team": job.team_id,
        "job": job.pk,
        "version": version.pk,
        "kind": version.kind,
        "queue": version.queue,
        "limit": version.limit_id,
        "what": REQUESTED,
        "actor": actor,
        "now": now,
        "publish_at": now + PUBLISH_AGAIN,
    }


def _row_of(execution: Execution, detail: dict[str, Any]) -> str:
    own = execution.payload
    return row(
        execution.pk,
        payload="null" if own is None else json.dumps(own),
        priority=execution.priority,
        limit_key=execution.limit_key,
        due_at=execution.due_at,
        start_by=execution.start_by,
        detail=json.dumps(detail),
    )

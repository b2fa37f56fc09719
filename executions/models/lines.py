"""Who is next in a queue: found by walking an index from line to line.

A line is what waits in one queue of one kind, team and class. However long the lines are, only
their names and their first rows are read, so a backlog of a million costs what a thousand costs.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.db import connection

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime
    from uuid import UUID

AGEING = timedelta(seconds=60)
"""Whoever waits this long counts as one class more important, so that bulk never starves.

Long enough that a burst of a minute is served strictly by class; short enough that the least
important waits four minutes longer than the most important, and no more.
"""

MOST_READS = 5_000  # rows a decision looks at, with however many lines and teams

WAITS = "status = 'scheduled' AND blocked_on = ''"
STARTABLE = "(attempt > 0 OR start_by IS NULL OR start_by > %(now)s)"  # a retry has begun

# Nothing but room can keep it: no limit, no archive, no earlier slot that its overlap policy minds.
FREE = """
    candidate.limit_id IS NULL AND current.concurrency IS NULL AND job.archived_at IS NULL
    AND (schedule.id IS NULL OR candidate.attempt > 0 OR schedule.overlap = 'allow'
        OR NOT EXISTS (
            SELECT FROM executions_execution AS earlier
            WHERE earlier.schedule_id = candidate.schedule_id
                AND earlier.status IN ('queued', 'running', 'scheduled', 'waiting')
                AND earlier.scheduled_for < candidate.scheduled_for
        ))
"""
RULES = """
JOIN jobs_job AS job ON job.id = candidate.job_id
JOIN jobs_jobversion AS current ON current.id = job.current_id
LEFT JOIN jobs_schedule AS schedule ON schedule.id = candidate.schedule_id
"""

QUEUES = f"""
WITH RECURSIVE named AS (
    (SELECT queue FROM executions_execution WHERE {WAITS} ORDER BY queue LIMIT 1)
    UNION ALL
    SELECT following.queue
    FROM named, LATERAL (
        SELECT queue FROM executions_execution
        WHERE {WAITS} AND queue > named.queue ORDER BY queue LIMIT 1
    ) AS following
)
"""  # noqa: S608  the pieces are constants of this module

LOCKED = ("id", "kind", "queue", "attempt", "failures", "priority", "due_at", "created_at")

_DUE_QUEUES = f"""
{QUEUES}
SELECT queue FROM named
WHERE EXISTS (
    SELECT FROM executions_execution AS execution
    WHERE {WAITS} AND execution.queue = named.queue AND due_at <= %(now)s
)
"""  # noqa: S608  as above

_NEXT_INSTANT = f"""
{QUEUES}
SELECT min(due_at)
FROM named, LATERAL (
    SELECT due_at FROM executions_execution AS execution
    WHERE {WAITS} AND execution.queue = named.queue AND due_at > %(now)s
    ORDER BY due_at LIMIT 1
) AS coming
"""  # noqa: S608  as above

_OLDEST = f"""
SELECT id FROM executions_execution
WHERE {WAITS} AND {STARTABLE} AND queue = %(queue)s AND due_at <= %(now)s
ORDER BY due_at
LIMIT %(limit)s
"""  # noqa: S608  as above

# A message may be shared by what is free of all that could make others pay for it.
_LOCK = f"""
SELECT candidate.id, candidate.kind, candidate.queue, candidate.attempt, candidate.failures,
    candidate.priority, candidate.due_at, candidate.created_at,
    candidate.losses = 0 AND own.on_lost <> 'fail' AND {FREE}
FROM executions_execution AS candidate
{RULES}
JOIN jobs_jobversion AS own ON own.id = candidate.version_id
WHERE candidate.id = ANY(%(ids)s) AND {WAITS}
FOR NO KEY UPDATE OF candidate SKIP LOCKED
"""  # noqa: S608  as above

# ``ahead`` numbers what waits in a line, ``turn`` what a team has in flight and would have with
# this one: its classes that have aged alike take turns, and so do teams within a class. Kinds of a
# fleet that has no room are stepped over as a whole.
_NEXT_IN_LINE = f"""
WITH RECURSIVE kind AS (
    (SELECT kind FROM executions_execution
     WHERE {WAITS} AND queue = %(queue)s ORDER BY kind LIMIT 1)
    UNION ALL
    SELECT following.kind
    FROM kind, LATERAL (
        SELECT kind FROM executions_execution
        WHERE {WAITS} AND queue = %(queue)s AND kind > kind.kind ORDER BY kind LIMIT 1
    ) AS following
), open_kind AS (
    SELECT kind, io FROM kind, LATERAL (SELECT kind = ANY(%(io_kinds)s) AS io) AS fleet
    WHERE CASE WHEN io THEN %(io)s ELSE %(compute)s END > 0
), line AS (
    SELECT open_kind.kind, io, first.team_id, first.priority, first.due_at
    FROM open_kind, LATERAL (
        SELECT team_id, priority, due_at FROM executions_execution
        WHERE {WAITS} AND queue = %(queue)s AND kind = open_kind.kind
        ORDER BY team_id, priority, due_at LIMIT 1
    ) AS first
    UNION ALL
    SELECT kind, io, following.*
    FROM line, LATERAL (
        SELECT team_id, priority, due_at FROM executions_execution
        WHERE {WAITS} AND queue = %(queue)s AND kind = line.kind
            AND (team_id, priority) > (line.team_id, line.priority)
        ORDER BY team_id, priority, due_at LIMIT 1
    ) AS following
), due_line AS MATERIALIZED (
    SELECT * FROM line WHERE due_at <= %(now)s
), busy AS (
    SELECT team_id, count(*) AS number FROM executions_execution
    WHERE queue = %(queue)s AND status IN ('queued', 'running')
    GROUP BY team_id
), candidate AS (
    SELECT first.id, first.due_at, line.io, line.team_id, line.priority,
        CASE WHEN first.attempt > first.failures THEN 0
            ELSE greatest(0, line.priority - floor(greatest(0, extract(
                epoch FROM %(now)s - greatest(first.due_at, first.created_at)
            )) / %(ageing)s)) END AS class
    FROM due_line AS line, LATERAL (
        SELECT id, due_at, created_at, attempt, failures FROM executions_execution
        WHERE {WAITS} AND {STARTABLE} AND queue = %(queue)s AND kind = line.kind
            AND team_id = line.team_id AND priority = line.priority AND due_at <= %(now)s
        ORDER BY due_at
        LIMIT (SELECT least(greatest(%(io)s, %(compute)s), greatest(1, %(reads)s / count(*)))
               FROM due_line)
    ) AS first
), numbered AS (
    SELECT *, row_number() OVER (PARTITION BY team_id, priority ORDER BY due_at, id) AS ahead
    FROM candidate
), shared AS (
    SELECT numbered.*, coalesce(busy.number, 0) + row_number() OVER (
        PARTITION BY team_id ORDER BY class, ahead, priority, due_at, id
    ) AS turn
    FROM numbered LEFT JOIN busy USING (team_id)
), ranked AS (
    SELECT *, row_number() OVER (
        PARTITION BY io ORDER BY class, turn, priority, due_at, id
    ) AS place
    FROM shared
)
SELECT id FROM ranked
WHERE place <= CASE WHEN io THEN %(io)s ELSE %(compute)s END
ORDER BY class, turn, priority, due_at, id
"""  # noqa: S608  as above


def due_queues(now: datetime) -> list[str]:
    """Name the queues in which something is due that nothing holds back, in order."""
    return [name for (name,) in _rows(_DUE_QUEUES, now=now)]


def next_instant(now: datetime) -> datetime | None:
    """When the next execution after ``now`` is due; ``None`` when none is."""
    ((instant,),) = _rows(_NEXT_INSTANT, now=now)
    return instant  # type: ignore[no-any-return]


def oldest(queue: str, *, now: datetime, limit: int) -> list[UUID]:
    """Return up to ``limit`` of what is due in ``queue``, the longest due first."""
    return [pk for (pk,) in _rows(_OLDEST, queue=queue, now=now, limit=limit)]


def lock(ids: Collection[UUID]) -> list[tuple[Any, ...]]:
    """Lock what still waits of ``ids``; a row that somebody holds is left out.

    Returns in any order its ``LOCKED`` and whether nothing but room can keep it, and a message may
    carry others with it.
    """
    return _rows(_LOCK, ids=list(ids)) if ids else []


def next_in_line(
    queue: str, *, now: datetime, io_kinds: Collection[str], io: int, compute: int
) -> list[UUID]:
    """Return what should start next in ``queue``, the first one first.

    At most ``io`` of the ``io_kinds`` and ``compute`` of all other kinds. By class, with ageing;
    within a class teams take turns, those with the fewest in flight first; then the longest due.
    """
    values = {"io_kinds": list(io_kinds), "io": io, "compute": compute}
    limits = {"ageing": AGEING.total_seconds(), "reads": MOST_READS}
    return [pk for (pk,) in _rows(_NEXT_IN_LINE, queue=queue, now=now, **values, **limits)]


def _rows(statement: str, **values: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows

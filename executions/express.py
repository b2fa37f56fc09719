"""The statement that queues, in one round trip, what nothing holds back.

As a rule executions fall due in queues with room for all of them, and of jobs without limits: then
nobody has to be weighed up against anybody. A queue in which any of that is different is left to
``admission``, as a whole.
"""

from __future__ import annotations

from executions.models import lines

MOST = 100  # executions of a queue; more of them had better share messages

# The queue's row is locked as in ``admission``: one process at a time decides about it. Whether
# there is room is asked first, since with a backlog there is none. A slot whose earlier ones are
# unfinished, as this statement sees it, is not for this statement.
UNHINDERED = f"""
{lines.QUEUES}, line AS (
    SELECT named.queue, waiting.due_at
    FROM named LEFT JOIN LATERAL (
        SELECT due_at FROM executions_execution
        WHERE {lines.WAITS} AND queue = named.queue ORDER BY due_at LIMIT 1
    ) AS waiting ON true
), roomy AS (
    SELECT queue
    FROM line, LATERAL (
        SELECT count(*) AS number FROM (
            SELECT FROM executions_execution AS execution
            WHERE {lines.WAITS} AND execution.queue = line.queue AND due_at <= %(now)s
            LIMIT %(most)s + 1
        ) AS counted
    ) AS due, LATERAL (
        SELECT count(*) AS number FROM (
            SELECT FROM executions_execution AS execution
            WHERE status = 'queued' AND execution.queue = line.queue LIMIT %(window)s
        ) AS counted
    ) AS busy
    WHERE line.due_at <= %(now)s AND due.number <= %(most)s
        AND due.number + busy.number <= %(window)s
), own AS (
    SELECT name FROM executions_queue
    WHERE name = ANY(ARRAY(SELECT queue FROM roomy))
        AND paused_at IS NULL AND concurrency IS NULL AND "window" IS NULL
    FOR NO KEY UPDATE SKIP LOCKED
), candidate AS (
    SELECT waiting.*
    FROM own, LATERAL (
        SELECT id, queue, job_id, schedule_id, scheduled_for, limit_id, attempt, priority,
            due_at, created_at
        FROM executions_execution
        WHERE {lines.WAITS} AND {lines.STARTABLE} AND queue = own.name AND due_at <= %(now)s
        ORDER BY due_at
        LIMIT %(most)s
        FOR NO KEY UPDATE SKIP LOCKED
    ) AS waiting
), free AS (
    SELECT candidate.queue
    FROM candidate {lines.RULES}
    GROUP BY candidate.queue
    HAVING bool_and({lines.FREE})
), moved AS (
    UPDATE executions_execution AS execution
    SET status = 'queued', reason = '', queued_at = %(now)s, publish_at = %(publish_at)s,
        publishes = publishes + 1,
        lane = CASE WHEN candidate.attempt > failures THEN 0
            ELSE greatest(0, candidate.priority - floor(greatest(0, extract(
                epoch FROM %(now)s - greatest(candidate.due_at, candidate.created_at)
            )) / %(ageing)s)) END
    FROM candidate
    WHERE execution.id = candidate.id AND candidate.queue IN (SELECT queue FROM free)
    RETURNING execution.id, kind, execution.queue, execution.attempt, publish_at, lane
)
SELECT EXISTS (SELECT FROM line WHERE due_at <= %(now)s AND queue NOT IN (SELECT queue FROM free))
    OR (SELECT blocked_on FROM executions_execution
        WHERE status = 'scheduled' AND blocked_on <> '' ORDER BY blocked_on LIMIT 1) IS NOT NULL,
    moved.*
FROM (SELECT) AS always LEFT JOIN moved ON true
"""  # noqa: S608  the pieces are constants

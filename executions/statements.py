"""The statements of the hot path, one round trip each, for one or many: queue, claim, settle."""

from __future__ import annotations

from typing import NamedTuple

# Which rows a statement is about. That the first is one row the planner knows without a look at the
# table, so its plan may be kept; how it finds several depends on how large the table is.
ONE = "= (%(ids)s::uuid[])[1]"
MANY = "= ANY(%(ids)s)"


class Forms(NamedTuple):
    """A statement about the row, or the rows, of ``ids``."""

    one: str
    many: str

    @classmethod
    def of(cls, statement: str, **words: str) -> Forms:
        return cls(*(statement.format(ids=ids, **words) for ids in (ONE, MANY)))


QUEUE = """
UPDATE executions_execution AS execution
SET status = 'queued', reason = '', queued_at = %(now)s, publish_at = %(publish_at)s,
    publishes = publishes + 1, lane = asked.lane
FROM unnest(%(ids)s::uuid[], %(lanes)s::smallint[]) AS asked (id, lane)
WHERE execution.id = asked.id AND status = 'scheduled'
"""

# The execution has started when the database says so, which limits count by: a worker that slept
# between its clock and this statement has started nothing yet. The attempt keeps what the worker
# read, by which it knows its own claim if the answer is lost. Of each version one row tells.
CLAIM = """
WITH claimed AS (
    UPDATE executions_execution
    SET status = 'running',
        reason = '',
        message = '',
        attempt = attempt + 1,
        worker = %(worker)s,
        started_at = greatest(clock_timestamp(), %(now)s),
        publish_at = NULL,
        lease_expires_at = greatest(clock_timestamp(), %(now)s) + %(lease)s
    WHERE id {ids} AND status = 'queued'
        AND (attempt > 0 OR start_by IS NULL OR start_by > %(now)s)
        AND NOT EXISTS (
            SELECT FROM executions_queue AS line
            WHERE line.name = executions_execution.queue AND line.paused_at IS NOT NULL
        )
    RETURNING *
), begun AS (
    INSERT INTO executions_attempt
        (execution_id, number, worker, pid, queued_at, started_at, outcome, reason, message, trace)
    SELECT id, attempt, worker, %(pid)s, queued_at, %(now)s, '', '', '', ''
    FROM claimed
), version AS (
    SELECT version.id, to_json(version)::text AS fields
    FROM jobs_jobversion AS version
    WHERE version.id IN (SELECT version_id FROM claimed)
), told AS (
    SELECT min(id::text)::uuid AS id, version_id FROM claimed GROUP BY version_id
)
SELECT {columns}, version.fields AS version_row
FROM claimed
LEFT JOIN told ON told.id = claimed.id
LEFT JOIN version ON version.id = told.version_id
"""

# The worker, which tells the end, is behind the database, which tells the start, by up to a round
# trip: no execution may seem to end before it starts. The results row is written only with an
# attempt that this statement ended: a retry that waits and is cancelled keeps the result of its
# last attempt.
END_ATTEMPTS = """
WITH asked AS MATERIALIZED (
    SELECT * FROM jsonb_to_recordset(%(endings)s) AS one (
        id uuid, was text, attempt int, status text, reason text, message text, fingerprint text,
        result jsonb, due_at timestamptz, failures int, losses int, finished_at timestamptz,
        outcome text, error text, trace text, output jsonb, celery_state text, celery_result text)
), moved AS (
    UPDATE executions_execution AS execution
    SET status = asked.status,
        reason = asked.reason,
        message = asked.message,
        fingerprint = asked.fingerprint,
        result = nullif(asked.result, 'null'),
        due_at = asked.due_at,
        failures = asked.failures,
        losses = asked.losses,
        finished_at = CASE WHEN asked.finished_at IS NOT NULL
            THEN greatest(asked.finished_at, started_at) END,
        publish_at = NULL,
        lease_expires_at = NULL
    FROM asked
    WHERE execution.id {ids} AND execution.id = asked.id
        AND execution.status = asked.was AND execution.attempt = asked.attempt
    RETURNING execution.id, team_id, job_id, schedule_id, limit_key, queue, execution.attempt,
        execution.status, outcome, asked.reason, asked.message, error, trace, output, celery_state,
        celery_result
), ended AS (
    UPDATE executions_attempt AS attempt
    SET finished_at = %(now)s,
        outcome = moved.outcome,
        reason = moved.reason,
        message = moved.message,
        error = moved.error,
        trace = moved.trace
    FROM moved
    WHERE attempt.execution_id {ids} AND attempt.execution_id = moved.id
        AND number = moved.attempt AND attempt.finished_at IS NULL
    RETURNING moved.id, moved.job_id, moved.attempt, worker, queued_at, started_at,
        moved.trace, celery_state, celery_result
), logged AS (
    INSERT INTO executions_logchunk (execution_id, attempt, at, stream, text, omitted)
    SELECT moved.id, moved.attempt, chunk.at, chunk.stream, chunk.text, chunk.omitted
    FROM moved, jsonb_to_recordset(moved.output)
        AS chunk (at timestamptz, stream text, text text, omitted bigint)
), told AS (
    INSERT INTO executions_outboxevent (team_id, at, topic, subject, body)
    SELECT team_id, %(now)s, 'execution.' || status, id, jsonb_build_object(
        'job', job_id, 'attempt', attempt, 'outcome', outcome, 'reason', reason)
    FROM moved
), recorded AS (
    INSERT INTO django_celery_results_taskresult
        (task_id, periodic_task_name, task_name, task_args, task_kwargs, status, worker,
         content_type, content_encoding, result, traceback, date_created, date_started, date_done)
    SELECT ended.id || '-' || ended.attempt, job.name, 'executions.run',
        to_json('(''' || ended.id || ''',)'), '"{{}}"', celery_state, left(ended.worker, 100),
        'application/json', 'utf-8', celery_result, nullif(trace, ''),
        coalesce(ended.queued_at, ended.started_at), ended.started_at, %(now)s
    FROM ended
    JOIN jobs_job AS job ON job.id = ended.job_id
    ON CONFLICT (task_id) DO UPDATE
    SET status = excluded.status, result = excluded.result, traceback = excluded.traceback,
        date_done = excluded.date_done
)
SELECT ARRAY(SELECT id FROM moved), EXISTS (
    SELECT FROM executions_execution AS waiting
    WHERE waiting.status = 'scheduled' AND waiting.blocked_on <> ''
        AND waiting.blocked_on = ANY(ARRAY(
            SELECT held.mark FROM moved, LATERAL (VALUES ('job:' || job_id),
                ('overlap:' || schedule_id), ('limit:' || limit_key)) AS held (mark)
        ))
) OR EXISTS (
    SELECT FROM executions_queue AS line, LATERAL (
        SELECT FROM executions_execution AS waiting
        WHERE waiting.status = 'scheduled' AND waiting.blocked_on = ''
            AND waiting.queue = line.name AND waiting.due_at <= %(now)s
        LIMIT 1
    ) AS next
    WHERE line.concurrency IS NOT NULL AND line.name IN (SELECT queue FROM moved)
)
"""

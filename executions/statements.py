"""The two statements of the hot path: claim and settle take one round trip each."""

from __future__ import annotations

# The execution has started when the database says so, which limits count by: a worker that slept
# between its clock and this statement has started nothing yet. The attempt keeps what the worker
# read, by which it knows its own claim if the answer is lost.
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
    WHERE id = %(id)s AND status = 'queued'
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
)
SELECT claimed.*, to_json(version)::text AS version_row
FROM claimed
JOIN jobs_jobversion AS version ON version.id = claimed.version_id
"""

# The worker, which tells the end, is behind the database, which tells the start, by up to a round
# trip: no execution may seem to end before it starts. The results row is written only with an
# attempt that this statement ended: a retry that waits and is cancelled keeps the result of its
# last attempt.
END_ATTEMPT = """
WITH moved AS (
    UPDATE executions_execution
    SET status = %(status)s,
        reason = %(reason)s,
        message = %(message)s,
        fingerprint = %(fingerprint)s,
        result = nullif(%(result)s::jsonb, 'null'),
        due_at = %(due_at)s,
        failures = %(failures)s,
        losses = %(losses)s,
        finished_at = CASE WHEN %(finished_at)s::timestamptz IS NOT NULL
            THEN greatest(%(finished_at)s, started_at) END,
        publish_at = NULL,
        lease_expires_at = NULL
    WHERE id = %(id)s AND status = %(was)s AND attempt = %(attempt)s
    RETURNING id, team_id, job_id, schedule_id, limit_key, attempt
), ended AS (
    UPDATE executions_attempt
    SET finished_at = %(now)s,
        outcome = %(outcome)s,
        reason = %(reason)s,
        message = %(message)s,
        error = %(error)s,
        trace = %(trace)s
    FROM moved
    WHERE execution_id = moved.id AND number = moved.attempt
        AND executions_attempt.finished_at IS NULL
    RETURNING moved.id, moved.job_id, moved.attempt, worker, queued_at, started_at
), logged AS (
    INSERT INTO executions_logchunk (execution_id, attempt, at, stream, text, omitted)
    SELECT moved.id, moved.attempt, chunk.at, chunk.stream, chunk.text, chunk.omitted
    FROM moved, jsonb_to_recordset(%(output)s)
        AS chunk (at timestamptz, stream text, text text, omitted bigint)
), told AS (
    INSERT INTO executions_outboxevent (team_id, at, topic, subject, body)
    SELECT team_id, %(now)s, 'execution.' || %(status)s, id, jsonb_build_object(
        'job', job_id, 'attempt', attempt, 'outcome', %(outcome)s::text, 'reason', %(reason)s::text)
    FROM moved
), recorded AS (
    INSERT INTO django_celery_results_taskresult
        (task_id, periodic_task_name, task_name, task_args, task_kwargs, status, worker,
         content_type, content_encoding, result, traceback, date_created, date_started, date_done)
    SELECT ended.id || '-' || ended.attempt, job.name, 'executions.run',
        to_json('(''' || ended.id || ''',)'), '"{}"', %(celery_state)s, left(ended.worker, 100),
        'application/json', 'utf-8', %(celery_result)s, nullif(%(trace)s, ''),
        coalesce(ended.queued_at, ended.started_at), ended.started_at, %(now)s
    FROM ended
    JOIN jobs_job AS job ON job.id = ended.job_id
    ON CONFLICT (task_id) DO UPDATE
    SET status = excluded.status, result = excluded.result, traceback = excluded.traceback,
        date_done = excluded.date_done
)
SELECT count(*), coalesce(bool_or(EXISTS (
    SELECT FROM executions_execution AS waiting
    WHERE waiting.status = 'scheduled' AND waiting.blocked_on <> '' AND waiting.blocked_on IN (
        'job:' || moved.job_id, 'overlap:' || moved.schedule_id, 'limit:' || moved.limit_key)
)), false) FROM moved
"""

"""Hundreds of thousands of schedules at once, by SQL: what is measured is what they cost later."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from django.db import connection

from benchmarks.apps.chronos.functions import NAME
from lib.patience import FOR_EVER, patience

if TYPE_CHECKING:
    from accounts.models import Team

CHUNK = 20_000  # rows a statement

MAKE = """
WITH job AS (
    INSERT INTO jobs_job (id, team_id, name, slug, description, kind, tags, paused_reason,
        created_at, updated_at)
    SELECT gen_random_uuid(), %(team)s, 'schedule ' || n, 'schedule-' || n, '', 'python', '{}', '',
        now(), now()
    FROM generate_series(%(from)s, %(to)s) AS n
    RETURNING id, substr(slug, 10)::int AS n
), version AS (
    INSERT INTO jobs_jobversion (id, job_id, number, kind, payload, schedule, max_attempts,
        retry_strategy, retry_base_seconds, retry_max_seconds, timeout_seconds, queue, priority,
        on_lost, created_at)
    SELECT gen_random_uuid(), id, 1, 'python',
        jsonb_build_object('function', %(function)s::text,
            'args', jsonb_build_array(n, 0.0, 0), 'kwargs', '{}'::jsonb),
        '{}', 3, 'exponential', 60, 3600, 300, 'default', 2, 'retry', now()
    FROM job
    RETURNING id, job_id
), schedule AS (
    INSERT INTO jobs_schedule (id, job_id, type, cron, timezone, every_seconds, anchor, misfire,
        catch_up_max, overlap, next_fire_at, enabled, disabled_reason)
    SELECT gen_random_uuid(), id, 'interval', '', 'UTC', %(every)s,
        %(first)s + n * %(gap)s * interval '1 second', 'all', 1000, 'allow',
        %(first)s + n * %(gap)s * interval '1 second', true, ''
    FROM job
)
SELECT count(*) FROM version
"""
LINK = """
UPDATE jobs_job SET current_id = version.id
FROM jobs_jobversion AS version WHERE version.job_id = jobs_job.id AND current_id IS NULL
"""


def fill(team: Team, count: int, *, every: int, first: float, gap: float) -> None:
    """Make ``count`` interval schedules, due first from the Unix time ``first`` on, ``gap`` apart.

    ``every`` and ``gap`` are in seconds.
    """
    values: dict[str, Any] = {
        "team": team.pk,
        "function": NAME,
        "every": every,
        "first": datetime.fromtimestamp(first, UTC),
        "gap": gap,
    }
    with patience(FOR_EVER), connection.cursor() as cursor:
        for begin in range(0, count, CHUNK):
            end = min(begin + CHUNK, count) - 1
            cursor.execute(MAKE, {**values, "from": begin, "to": end})
            cursor.execute(LINK)
        cursor.execute("ANALYZE jobs_job, jobs_jobversion, jobs_schedule")

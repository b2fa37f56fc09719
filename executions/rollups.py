"""Statistics that were added up when things ended, so that nobody counts history."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from django.db import connection
from django.db.models import Sum

from executions.models import FINISHED, Status
from executions.models.rollup import BOUNDS, EVERYBODY, Grain, Rollup

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime
    from uuid import UUID

COUNTS = ("started", "succeeded", "failed", "skipped", "cancelled", "retried", "lost")
SUMS = (*COUNTS, "late_seconds", "took_seconds")
HISTOGRAMS = ("late", "took")
CLASSES = range(len(BOUNDS) + 1)
TOPICS = [f"execution.{status}" for status in (*sorted(FINISHED), Status.SCHEDULED)]
"""What is told when an attempt or an execution ends; scheduled is what is tried again."""


def _counted(name: str) -> str:
    """Count ``name`` in each class, one column each."""
    return ",\n        ".join(
        f"count(*) FILTER (WHERE {name} = {n}) AS {name}_{n}" for n in CLASSES
    )


def _array(name: str) -> str:
    return f"ARRAY[{', '.join(f'sum({name}_{n})::bigint' for n in CLASSES)}]"


def _added(name: str) -> str:
    pairs = f"unnest(rollup.{name}, excluded.{name}) WITH ORDINALITY AS pair (one, other, place)"
    return f"{name} = ARRAY(SELECT one + other FROM {pairs} ORDER BY place)"  # noqa: S608  constants


# An attempt is told when it ends; of an execution that is cancelled while it waits for another
# attempt, the attempt has ended before and differs in its outcome. Who waits for a report has
# its deadline as ``due_at``: how late it started is not known any more.
COUNT = f"""
WITH event AS MATERIALIZED (
    SELECT team_id, at, substr(topic, 11) AS status, subject, body ->> 'outcome' AS outcome,
        (body ->> 'attempt')::int AS number, (body ->> 'job')::uuid AS job_id,
        coalesce((body #>> '{{slots,count}}')::bigint, 1) AS slots
    FROM executions_outboxevent
    WHERE id = ANY(%(ids)s) AND topic = ANY(%(topics)s)
), told AS MATERIALIZED (
    SELECT event.*, coalesce(execution.queue, '') AS queue, attempt.started_at,
        CASE WHEN event.status IN ('succeeded', 'failed')
            AND execution.started_at >= execution.due_at
        THEN extract(epoch FROM execution.started_at - execution.due_at) END AS late_seconds,
        CASE WHEN event.status IN ('succeeded', 'failed')
        THEN extract(epoch FROM greatest(attempt.finished_at - attempt.started_at, '0'))
        END AS took_seconds
    FROM event
    LEFT JOIN executions_execution AS execution ON execution.id = event.subject
    LEFT JOIN executions_attempt AS attempt ON attempt.execution_id = event.subject
        AND attempt.number = event.number AND attempt.outcome = event.outcome
), fact AS (
    SELECT team_id, job_id, queue, date_trunc('minute', started_at, 'UTC') AS at, 1 AS started,
        '' AS status, '' AS outcome, 0 AS slots,
        NULL::float8 AS late_seconds, NULL::float8 AS took_seconds
    FROM told WHERE started_at IS NOT NULL
    UNION ALL
    SELECT team_id, job_id, queue, date_trunc('minute', at, 'UTC'), 0, status, outcome, slots,
        late_seconds, took_seconds
    FROM told
), classed AS (
    SELECT *, width_bucket(late_seconds, %(bounds)s::float8[]) AS late,
        width_bucket(took_seconds, %(bounds)s::float8[]) AS took
    FROM fact
), minute AS MATERIALIZED (
    SELECT team_id, job_id, queue, at, sum(started) AS started,
        count(*) FILTER (WHERE status = 'succeeded') AS succeeded,
        count(*) FILTER (WHERE status = 'failed') AS failed,
        coalesce(sum(slots) FILTER (WHERE status = 'skipped'), 0) AS skipped,
        count(*) FILTER (WHERE status = 'cancelled') AS cancelled,
        count(*) FILTER (WHERE status = 'scheduled' AND outcome = 'failed') AS retried,
        count(*) FILTER (WHERE outcome = 'lost') AS lost,
        coalesce(sum(late_seconds), 0) AS late_seconds,
        coalesce(sum(took_seconds), 0) AS took_seconds,
        {_counted("late")},
        {_counted("took")}
    FROM classed GROUP BY team_id, job_id, queue, at
)
INSERT INTO executions_rollup AS rollup
    (subject, grain, at, queue, {", ".join(SUMS)}, {", ".join(HISTOGRAMS)})
SELECT level.subject, level.grain, date_trunc(level.grain, at, 'UTC') AS since, line,
    {", ".join(f"sum({name})" for name in SUMS)}, {", ".join(map(_array, HISTOGRAMS))}
FROM minute, LATERAL (VALUES
    (%(everybody)s::uuid, 'minute', queue), (%(everybody)s, 'hour', queue),
    (%(everybody)s, 'day', queue), (team_id, 'minute', queue), (team_id, 'hour', queue),
    (team_id, 'day', queue), (job_id, 'hour', ''), (job_id, 'day', '')
) AS level (subject, grain, line)
WHERE level.subject IS NOT NULL
GROUP BY level.subject, level.grain, since, line
ORDER BY level.subject, level.grain, since, line
ON CONFLICT (subject, grain, at, queue) DO UPDATE SET
    {", ".join(f"{name} = rollup.{name} + excluded.{name}" for name in SUMS)},
    {", ".join(map(_added, HISTOGRAMS))}
"""  # noqa: S608  the pieces are constants of this module


BEGAN = """
SELECT at FROM (
    SELECT at, sum(sum(succeeded + failed + cancelled)) OVER (ORDER BY at DESC) AS number
    FROM executions_rollup WHERE subject = %(subject)s AND grain = %(grain)s GROUP BY at
) AS summed
WHERE number >= %(number)s ORDER BY at DESC LIMIT 1
"""


def _summed(name: str) -> str:
    classes = f"unnest(day.{name}) WITH ORDINALITY AS one (number, class)"
    sums = f"SELECT sum(number)::bigint FROM day, {classes}"  # noqa: S608  constants
    return f"ARRAY({sums} GROUP BY class ORDER BY class)"


EVER = f"""
WITH day AS MATERIALIZED (
    SELECT * FROM executions_rollup WHERE subject = %(subject)s AND grain = %(grain)s
)
SELECT {", ".join(f"coalesce(sum({name}), 0)" for name in SUMS[1:])},
    {_summed("late")}, {_summed("took")}
FROM day
"""  # noqa: S608  as above


def count(events: Collection[int]) -> None:
    """Add up what the outbox tells in ``events``, which are deleted in the same transaction.

    So each end counts once, whenever it comes, and a crash before the commit undoes both. Rows
    are touched in one order by everybody: two processes wait for each other, never in a circle.
    """
    values: dict[str, Any] = {
        "bounds": list(BOUNDS),
        "everybody": EVERYBODY,
        "ids": list(events),
        "topics": TOPICS,
    }
    with connection.cursor() as cursor:
        cursor.execute(COUNT, values)


@dataclass(frozen=True, slots=True)
class Total:
    """What happened in some time."""

    started: int
    succeeded: int
    failed: int
    skipped: int
    cancelled: int
    retried: int
    lost: int
    late_seconds: float
    took_seconds: float


def total(subjects: Collection[UUID], *, since: datetime, until: datetime) -> Total:
    """Add up what happened to ``subjects`` from ``since`` to before ``until``, whole minutes."""
    rows = Rollup.objects.between(since, until, subjects=subjects)
    sums = rows.aggregate(**{name: Sum(name, default=0) for name in SUMS})
    return Total(**sums)


def began(number: int) -> datetime | None:
    """Return an instant since which at least the last ``number`` executions have ended.

    The begin of an hour, or of a day where hours are forgotten; ``None`` if there were not so many.
    """
    with connection.cursor() as cursor:
        for grain in (Grain.HOUR, Grain.DAY):
            cursor.execute(BEGAN, {"subject": EVERYBODY, "grain": grain, "number": number})
            if found := cursor.fetchone():
                at: datetime = found[0]
                return at
    return None


class Ever(NamedTuple):
    """All that has ended since statistics began: only grows, but for what is forgotten after years.

    ``late`` and ``took`` are histograms in the classes of ``BOUNDS``, with their sums in seconds.
    """

    succeeded: int
    failed: int
    skipped: int
    cancelled: int
    retried: int
    lost: int
    late_seconds: float
    took_seconds: float
    late: Sequence[int]
    took: Sequence[int]


def ever() -> Ever:
    """Add up all days of everybody, in one query."""
    with connection.cursor() as cursor:
        cursor.execute(EVER, {"subject": EVERYBODY, "grain": Grain.DAY})
        return Ever(*cursor.fetchone())

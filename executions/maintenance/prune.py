"""Executions that are finished and old are deleted, with their attempts, events and output."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import structlog
from django.conf import settings
from django.db import connection, transaction

from executions import retention
from executions.models import AuditMark
from executions.stats import first_id

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from executions.retention import Cutoffs

log = structlog.get_logger(__name__)

PRUNE = "prune"
START = UUID(int=0)
ROUND = timedelta(days=1)  # what was left because it was young, or unresolved, is seen again

# The newest of a job stay, whatever their age. A slot stays until the audit has counted it.
LOOK = """
WITH batch AS MATERIALIZED (
    SELECT id, job_id, schedule_id, scheduled_for, status, finished_at, resolved_at
    FROM executions_execution
    WHERE id > %(after)s AND id < %(before)s
    ORDER BY id LIMIT %(limit)s
), job AS MATERIALIZED (
    SELECT id, (
        SELECT newest.id FROM executions_execution AS newest WHERE newest.job_id = known.id
        ORDER BY newest.id DESC OFFSET greatest(%(last)s - 1, 0) LIMIT 1
    ) AS first_kept
    FROM (SELECT DISTINCT job_id AS id FROM batch) AS known
)
SELECT batch.id, coalesce(
    CASE status
        WHEN 'failed' THEN greatest(finished_at, resolved_at) < %(failed)s::timestamptz
            AND resolved_at IS NOT NULL
        ELSE finished_at < %(done)s::timestamptz
    END
    AND (%(last)s = 0 OR batch.id < job.first_kept)
    AND (schedule.audited_until IS NULL OR scheduled_for < schedule.audited_until), false)
FROM batch
JOIN job ON job.id = batch.job_id
LEFT JOIN jobs_schedule AS schedule ON schedule.id = batch.schedule_id
ORDER BY batch.id
"""

# Foreign keys are checked at the commit, so the order does not matter.
DELETE = """
WITH old AS MATERIALIZED (
    SELECT id FROM executions_execution WHERE id = ANY(%(ids)s) FOR UPDATE SKIP LOCKED
), tries AS (
    DELETE FROM executions_attempt USING old WHERE execution_id = old.id
), told AS (
    DELETE FROM executions_executionevent USING old WHERE execution_id = old.id
), written AS (
    DELETE FROM executions_logchunk USING old WHERE execution_id = old.id
)
DELETE FROM executions_execution USING old WHERE executions_execution.id = old.id
"""


@transaction.atomic
def prune(now: datetime, limit: int = 1000) -> int:
    """Look at the next executions and delete those that are old; return how many were looked at.

    Walks by id, so by age, up to what is too young in any case, and begins anew a day after it
    began: by then others are old, or resolved, or no longer among the last of their job. Finished
    is final and only this pass deletes, so nobody else decides about the same rows; one that
    somebody holds stays until the next round. A crash undoes the batch and the step together.
    """
    cutoffs = retention.cutoffs(now)
    AuditMark.objects.get_or_create(name=PRUNE, defaults={"up_to": START, "at": now})
    mark = AuditMark.objects.select_for_update(skip_locked=True).filter(name=PRUNE).first()
    if mark is None or cutoffs.latest is None:
        return 0  # another process is at it, or everything is kept
    rows = _look(mark.up_to, cutoffs, limit=limit)
    _delete([pk for pk, is_old in rows if is_old])
    if rows:
        mark.up_to = rows[-1][0]
    elif now - mark.at >= ROUND:
        mark.up_to, mark.at = START, now
    mark.save()
    return len(rows)


def _look(after: UUID, cutoffs: Cutoffs, *, limit: int) -> list[tuple[UUID, bool]]:
    assert cutoffs.latest is not None  # noqa: S101  else there is nothing to look for
    values: dict[str, Any] = {
        **cutoffs._asdict(),
        "after": after,
        "before": first_id(cutoffs.latest),
        "last": settings.CHRONOS_KEEP_LAST,
        "limit": limit,
    }
    with connection.cursor() as cursor:
        cursor.execute(LOOK, values)
        rows: list[tuple[UUID, bool]] = cursor.fetchall()
        return rows


def _delete(ids: Sequence[UUID]) -> None:
    if not ids:
        return
    with connection.cursor() as cursor:
        cursor.execute(DELETE, {"ids": list(ids)})
        log.info("prune.deleted", executions=cursor.rowcount)

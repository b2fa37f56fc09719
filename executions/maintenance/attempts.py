"""The proof that executions and their attempts tell the same story."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.db import connection, transaction

from executions.maintenance.audit import report
from executions.models import AuditFinding, AuditMark
from executions.stats import first_id

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

SETTLED = timedelta(minutes=10)  # executions this old; most have ended, none is being made
FIRST = timedelta(days=1)  # how far the very first audit looks back, and not through all history
ATTEMPTS = "attempts"

ODD = """
WITH batch AS MATERIALIZED (
    SELECT id, status, attempt FROM executions_execution
    WHERE id > %(after)s AND id < %(before)s
    ORDER BY id LIMIT %(limit)s
)
SELECT batch.id, format('it is %%s after %%s attempts, of which %%s have rows and %%s go on',
    status, attempt, tries.number, tries.open),
    attempt <> tries.number
        OR tries.open <> (CASE WHEN status IN ('running', 'waiting') THEN 1 ELSE 0 END)
        OR (status = 'succeeded' AND NOT coalesce(tries.done, false))
FROM batch, LATERAL (
    SELECT count(*) AS number, count(*) FILTER (WHERE finished_at IS NULL) AS open,
        bool_or(outcome = 'succeeded') AS done
    FROM executions_attempt WHERE execution_id = batch.id
) AS tries
ORDER BY batch.id
"""


@transaction.atomic
def audit_attempts(now: datetime, limit: int = 1000) -> int:
    """Compare the next executions with their attempts; return how many were looked at.

    Every execution since ``FIRST`` before the first audit is looked at once, ``SETTLED`` after it
    was made. What must hold holds in
    every state: each statement that moves an execution writes its attempt, too.
    """
    first = {"up_to": first_id(now - FIRST), "at": now}
    AuditMark.objects.get_or_create(name=ATTEMPTS, defaults=first)
    mark = AuditMark.objects.select_for_update(skip_locked=True).filter(name=ATTEMPTS).first()
    if mark is None:
        return 0  # another process is at it
    bounds: dict[str, Any] = {
        "after": mark.up_to,
        "before": first_id(now - SETTLED),
        "limit": limit,
    }
    with connection.cursor() as cursor:
        cursor.execute(ODD, bounds)
        rows = cursor.fetchall()
    report([_odd(pk, why, now) for pk, why, is_odd in rows if is_odd])
    mark.up_to, mark.at = (rows[-1][0] if rows else mark.up_to), now
    mark.save()
    return len(rows)


def _odd(pk: UUID, why: str, now: datetime) -> AuditFinding:
    message = f"Execution {pk} does not fit to its attempts: {why}."
    return AuditFinding(at=now, what=AuditFinding.What.EXECUTION_ODD, execution=pk, message=message)

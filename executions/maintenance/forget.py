"""Small rows that outlive their use: of Celery, the outbox, redrives, processes, statistics.

Each pass deletes one bounded batch of the oldest.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Exists, OuterRef
from django_celery_results.models import TaskResult

from executions import retention, rollups
from executions.models import Beat, Execution, OutboxEvent, Redrive, Worker
from executions.models.rollup import Grain

if TYPE_CHECKING:
    from datetime import datetime

    from django.db.models import QuerySet

KEPT = {
    Grain.MINUTE: timedelta(days=3),
    Grain.HOUR: timedelta(days=60),
    Grain.DAY: timedelta(days=1100),
}

FORGET = """
WITH old AS (
    SELECT subject, grain, at, queue FROM executions_rollup
    WHERE grain = %(grain)s AND at < %(before)s
    ORDER BY at LIMIT %(limit)s
    FOR UPDATE SKIP LOCKED
)
DELETE FROM executions_rollup AS rollup USING old
WHERE (rollup.subject, rollup.grain, rollup.at, rollup.queue)
    = (old.subject, old.grain, old.at, old.queue)
"""


def forget_results(now: datetime, limit: int = 1000) -> int:
    """Delete rows of django-celery-results; what they say stands in the attempts, too."""
    before = retention.before(now, settings.CHRONOS_KEEP_RESULTS_DAYS)
    return _delete(TaskResult.objects.all(), "date_done", before, limit)


@transaction.atomic
def forget_events(now: datetime, limit: int = 1000) -> int:
    """Delete events that no channel would take and that nobody has looked at for so long.

    What they tell counts in the statistics now: it did not when they were set aside, because they
    might have been delivered after all.
    """
    before = retention.cutoffs(now).latest
    ids = _locked(OutboxEvent.objects.set_aside(), "at", before, limit)
    rollups.count(ids)
    return OutboxEvent.objects.filter(pk__in=ids).delete()[0]


def forget_redrives(now: datetime, limit: int = 1000) -> int:
    """Delete redrives that ended long ago when all that they started is gone."""
    before = retention.cutoffs(now).latest
    started = Execution.objects.filter(redrive=OuterRef("pk"))
    return _delete(Redrive.objects.exclude(Exists(started)), "finished_at", before, limit)


def forget_processes(now: datetime, limit: int = 1000) -> int:
    """Delete the rows of workers and beats that were last heard of long ago."""
    before = retention.cutoffs(now).latest
    return sum(
        _delete(rows, "heartbeat_at", before, limit)
        for rows in (Worker.objects.all(), Beat.objects.all())
    )


def forget_rollups(now: datetime, limit: int = 1000) -> int:
    """Delete the finer statistics of times that coarser ones tell well enough."""
    with connection.cursor() as cursor:
        for grain, kept in KEPT.items():
            cursor.execute(FORGET, {"grain": grain, "before": now - kept, "limit": limit})
            deleted: int = cursor.rowcount
            if deleted:
                return deleted
    return 0


@transaction.atomic
def _delete(rows: QuerySet[Any], field: str, before: datetime | None, limit: int) -> int:
    """Delete the first ``limit`` of ``rows`` whose ``field`` lies ``before``; without it, none."""
    ids = _locked(rows, field, before, limit)
    return rows.model._default_manager.filter(pk__in=ids).delete()[0] if ids else 0


def _locked(rows: QuerySet[Any], field: str, before: datetime | None, limit: int) -> list[Any]:
    """Lock them; a row that another process holds is left to it."""
    if before is None:
        return []
    old = rows.filter(**{f"{field}__lt": before}).order_by(field)
    return list(old.select_for_update(skip_locked=True).values_list("pk", flat=True)[:limit])

"""Small rows that outlive their use: results of Celery, undeliverable events, redrives, processes.

Each pass deletes one bounded batch of the oldest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef
from django_celery_results.models import TaskResult

from executions import retention
from executions.models import Beat, Execution, OutboxEvent, Redrive, Worker

if TYPE_CHECKING:
    from datetime import datetime

    from django.db.models import QuerySet


def forget_results(now: datetime, limit: int = 1000) -> int:
    """Delete rows of django-celery-results; what they say stands in the attempts, too."""
    before = retention.before(now, settings.CHRONOS_KEEP_RESULTS_DAYS)
    return _delete(TaskResult.objects.all(), "date_done", before, limit)


def forget_events(now: datetime, limit: int = 1000) -> int:
    """Delete events that no channel would take and that nobody has looked at for so long."""
    before = retention.cutoffs(now).latest
    return _delete(OutboxEvent.objects.set_aside(), "at", before, limit)


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


@transaction.atomic
def _delete(rows: QuerySet[Any], field: str, before: datetime | None, limit: int) -> int:
    """Delete the first ``limit`` of ``rows`` whose ``field`` lies ``before``; never, without one.

    A row that another process holds is left to it.
    """
    if before is None:
        return 0
    old = rows.filter(**{f"{field}__lt": before}).order_by(field)
    ids = list(old.select_for_update(skip_locked=True).values_list("pk", flat=True)[:limit])
    return rows.model._default_manager.filter(pk__in=ids).delete()[0] if ids else 0

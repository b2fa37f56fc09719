"""django-celery-beat's own rows: the system's ticks, and what operators add for plain tasks."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import structlog
from django.db import Error, transaction
from django_celery_beat.models import PeriodicTask
from django_celery_beat.schedulers import ModelEntry

if TYPE_CHECKING:
    from collections.abc import Callable

log = structlog.get_logger(__name__)


def fire_periodic(now: datetime, *, send: Callable[[ModelEntry], object]) -> int:
    """Send every enabled ``PeriodicTask`` that is due; return how many.

    A row is taken by moving its ``last_run_at`` on while it is locked, so of any number of beats
    one sends it. The table is for a handful of rows; schedules of jobs never stand in it.
    """
    enabled = PeriodicTask.objects.filter(enabled=True).select_related(
        "interval", "crontab", "solar", "clocked"
    )
    due = [row for row in enabled if _is_due(row)]
    taken = [row for row in due if _take(row, now)]
    for row in taken:
        send(ModelEntry(row))
    return len(taken)


def _is_due(row: PeriodicTask) -> bool:
    """A row that cannot be read is disabled, so that it does not stop the others."""
    seen = row.last_run_at
    try:
        due = bool(ModelEntry(row).is_due().is_due)
    except Error:
        raise
    except Exception:  # the library raises whatever the row makes it raise
        log.exception("periodic_task.disabled", name=row.name)
        PeriodicTask.objects.filter(pk=row.pk).update(enabled=False)
        return False
    row.last_run_at = seen  # the entry fills it in; what the table says is what is compared
    return due


@transaction.atomic
def _take(row: PeriodicTask, now: datetime) -> bool:
    untouched = PeriodicTask.objects.filter(pk=row.pk, enabled=True, last_run_at=row.last_run_at)
    if row.last_run_at is None:
        untouched = PeriodicTask.objects.filter(pk=row.pk, enabled=True, last_run_at__isnull=True)
    row.total_run_count += 1
    return bool(untouched.update(last_run_at=now, total_run_count=row.total_run_count))

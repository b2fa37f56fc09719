"""Celery whose schedules are rows of django-celery-beat."""

from __future__ import annotations

from datetime import UTC, datetime

from benchmarks.apps.celery_app import start, submit, submit_at

# Needs what the module above has set up.
from django_celery_beat.models import (  # isort: skip
    IntervalSchedule,
    PeriodicTask,
    PeriodicTasks,
)

__all__ = ["add", "fill", "start", "submit", "submit_at"]


def fill(count: int, every: int, first: float, rate: float) -> None:
    """Make ``count`` schedules, the n-th due first at ``first + n / rate``, then ``every`` s."""
    rows = [_row(index, first + index / rate, every) for index in range(count)]
    PeriodicTask.objects.bulk_create(rows, batch_size=5000)
    PeriodicTasks.update_changed()


def add(index: int, due: float, every: int) -> None:
    _row(index, due, every).save()


def _row(index: int, due: float, every: int) -> PeriodicTask:
    """A schedule that ran a whole interval before it is due."""
    length, _ = IntervalSchedule.objects.get_or_create(every=every, period="seconds")
    return PeriodicTask(
        name=f"schedule {index}",
        task="job",
        interval=length,
        args=f"[{index}, 0.0, 0]",
        last_run_at=datetime.fromtimestamp(due - every, UTC),
    )

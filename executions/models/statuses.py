"""The statuses of an execution, where executions come from, and how an attempt is named."""

from __future__ import annotations

from django.db import models


class Status(models.TextChoices):
    """Where an execution is. ``docs/state-machine.md`` has the picture."""

    SCHEDULED = "scheduled"
    QUEUED = "queued"
    RUNNING = "running"
    WAITING = "waiting"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    SKIPPED = "skipped"
    CANCELLED = "cancelled"


FINISHED = frozenset({Status.SUCCEEDED, Status.FAILED, Status.SKIPPED, Status.CANCELLED})
UNFINISHED = frozenset(Status) - FINISHED
IN_FLIGHT = frozenset({Status.QUEUED, Status.RUNNING})


class Origin(models.TextChoices):
    """Why an execution exists."""

    SCHEDULE = "schedule"
    MANUAL = "manual"
    RETRY = "retry"
    REDRIVE = "redrive"


def task_id(execution_id: object, attempt: int) -> str:
    """Name an attempt the way Celery sees it."""
    return f"{execution_id}-{attempt}"

"""Who does the work and where it lines up: queues, workers, beats."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import structlog
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone

from jobs import kinds
from jobs.kinds.base import Fleet
from lib.ids import new_id

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

log = structlog.get_logger(__name__)

DEFAULT_QUEUE = "default"


def fleet_of(kind: str) -> Fleet:
    """The workers that run ``kind``. What this process does not know may be newer than it."""
    known = kinds.all_kinds().get(kind)
    return known.fleet if known else Fleet.COMPUTE


def io_kinds() -> list[str]:
    """The kinds that threads run; processes run all others."""
    return [kind for kind in kinds.all_kinds() if fleet_of(kind) is Fleet.IO]


class QueueQuerySet(models.QuerySet["Queue"]):
    def open(self) -> QueueQuerySet:
        """Queues that let executions start."""
        return self.filter(paused_at__isnull=True)

    def paused(self) -> QueueQuerySet:
        return self.filter(paused_at__isnull=False)

    def lock_free(self, limit: int) -> QueueQuerySet:
        """Lock up to ``limit`` rows that no other process holds. Needs a transaction."""
        return self.select_for_update(skip_locked=True, no_key=True)[:limit]

    def adopt(self, names: Sequence[str]) -> None:
        """Make the rows that ``names`` lack: what waits in a queue without one would never run."""
        missing = set(names) - set(self.filter(pk__in=names).values_list("pk", flat=True))
        if missing:
            log.warning("queue.adopted", queues=sorted(missing))
            self.bulk_create([Queue(name=name) for name in missing], ignore_conflicts=True)

    def names(self) -> list[str]:
        """Every queue there is; the default one is there even if its row is not."""
        return sorted({DEFAULT_QUEUE, *self.values_list("name", flat=True)})


class Queue(models.Model):
    """A named line of waiting executions; each fleet consumes one Celery queue of that name."""

    name = models.SlugField(primary_key=True, max_length=64)
    description = models.CharField(max_length=200, blank=True)
    paused_at = models.DateTimeField(null=True, blank=True)
    paused_reason = models.CharField(max_length=200, blank=True)
    paused_by = models.CharField(max_length=254, blank=True, db_default="")
    paused_until = models.DateTimeField(null=True, blank=True)
    concurrency = models.PositiveIntegerField(null=True, blank=True)
    window = models.PositiveIntegerField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    line: Any  # how full it is, where somebody has counted

    objects: ClassVar[QueueQuerySet] = QueueQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(concurrency__isnull=True) | models.Q(concurrency__gte=1),
                name="queue_lets_one_run",
            ),
            models.CheckConstraint(
                condition=models.Q(window__isnull=True) | models.Q(window__gte=1),
                name="window_holds_one",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def status(self) -> str:
        return "paused" if self.paused_at else "active"


class HeartbeatQuerySet(models.QuerySet[Any]):
    def fresh(self, since: datetime) -> HeartbeatQuerySet:
        """Processes that have not stopped and were heard of after ``since``."""
        return self.filter(stopped_at__isnull=True, heartbeat_at__gt=since)


class Process(models.Model):
    """A process that says every few seconds that it lives; a new row for each start of it."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.CharField(max_length=200)
    pid = models.PositiveIntegerField()
    version = models.CharField(max_length=32)
    started_at = models.DateTimeField()
    heartbeat_at = models.DateTimeField()
    stopped_at = models.DateTimeField(null=True)

    objects: ClassVar[HeartbeatQuerySet] = HeartbeatQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        abstract = True
        ordering = ["-started_at"]
        indexes = [models.Index(fields=["heartbeat_at"], name="%(class)s_heartbeat_idx")]

    def __str__(self) -> str:
        return self.name


class Worker(Process):
    """A process that runs executions."""

    fleet = models.CharField(max_length=16)
    queues = ArrayField(models.CharField(max_length=100), default=list)
    slots = models.PositiveIntegerField()


class Beat(Process):
    """A beat process; all beats fire schedules, none leads."""

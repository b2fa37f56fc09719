"""What ended, added up by minute, hour and day: statistics read these rows, never the history."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar
from uuid import UUID

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

EVERYBODY = UUID(int=0)
"""The subject of what is added up over all teams."""

BOUNDS = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0, 3000.0, 10000.0)
"""Seconds at which the classes of a histogram end; one more class holds what is longer."""

HOUR = timedelta(hours=1)


class Grain(models.TextChoices):
    """How much time a row stands for; PostgreSQL's words."""

    MINUTE = "minute"
    HOUR = "hour"
    DAY = "day"


class RollupQuerySet(models.QuerySet["Rollup"]):
    def between(
        self, since: datetime, until: datetime, *, subjects: Collection[UUID]
    ) -> RollupQuerySet:
        """The rows that make up the time from ``since`` to before ``until``, whole minutes both.

        Whole hours are read as such, so a day takes at most 23 rows of hours and 118 of minutes
        for each subject and queue.
        """
        first, last = _floor(since + HOUR - timedelta.resolution), _floor(until)
        if first >= last:
            return self._of(Grain.MINUTE, Q(at__gte=since, at__lt=until), subjects)
        edges = Q(at__gte=since, at__lt=first) | Q(at__gte=last, at__lt=until)
        hours = self._of(Grain.HOUR, Q(at__gte=first, at__lt=last), subjects)
        return hours | self._of(Grain.MINUTE, edges, subjects)

    def _of(self, grain: Grain, time: Q, subjects: Collection[UUID]) -> RollupQuerySet:
        return self.filter(time, subject__in=subjects, grain=grain)


class Rollup(models.Model):
    """How many executions of ``subject`` started and ended in a minute, hour or day.

    The subject is a team, ``EVERYBODY``, each by ``queue``, or a job, which has no minutes and no
    queue. What starts counts where the start was; all else where the end was. ``started`` and
    ``lost`` and ``retried`` are attempts, ``skipped`` are slots. ``late`` and ``took`` count the
    last attempts by how late they started and how long they ran, in the classes of ``BOUNDS``.
    """

    pk = models.CompositePrimaryKey("subject", "grain", "at", "queue")
    subject = models.UUIDField()
    grain = models.CharField(max_length=8, choices=Grain.choices)
    at = models.DateTimeField()
    queue = models.CharField(max_length=64, blank=True)

    started = models.BigIntegerField()
    succeeded = models.BigIntegerField()
    failed = models.BigIntegerField()
    skipped = models.BigIntegerField()
    cancelled = models.BigIntegerField()
    retried = models.BigIntegerField()
    lost = models.BigIntegerField()
    late_seconds = models.FloatField()
    took_seconds = models.FloatField()
    late = ArrayField(models.BigIntegerField())
    took = ArrayField(models.BigIntegerField())

    objects: ClassVar[RollupQuerySet] = RollupQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        indexes = [models.Index(fields=["grain", "at"], name="rollup_grain_idx")]

    def __str__(self) -> str:
        return f"{self.grain} {self.at:%Y-%m-%d %H:%M} of {self.subject} {self.queue}".rstrip()


def _floor(instant: datetime) -> datetime:
    return instant.replace(minute=0, second=0, microsecond=0)

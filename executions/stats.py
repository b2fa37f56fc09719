"""The numbers of the dashboard: what happens now, how the last day went, and a verdict."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from django.db.models import Count, Min, Q

from executions import alive, verdicts
from executions.models import UNFINISHED, Execution, Queue, Status
from jobs.models import Job

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from accounts.models import Team
    from executions.models.execution_queries import ExecutionQuerySet

WINDOW = timedelta(hours=24)
RECENT = timedelta(minutes=5)  # what the rates are measured over
LATE_AFTER = timedelta(seconds=30)  # due for longer and not started: an operator should look


@dataclass(frozen=True, slots=True)
class Line:
    """A queue as it stands: ``waiting`` counts what is due, ``late`` what is due for too long."""

    name: str
    paused: bool
    active: int
    waiting: int
    late: int
    oldest_due_at: datetime | None


@dataclass(frozen=True, slots=True)
class Finished:
    """What ended: in the whole window, and in its last minutes."""

    completed: int
    failed: int
    completed_recently: int
    failed_recently: int


@dataclass(frozen=True, slots=True)
class Rates:
    """Ends per minute over the last minutes; ``success`` is a share of the window, 0 to 1."""

    completed_per_minute: float
    failed_per_minute: float
    success: float | None


@dataclass(frozen=True, slots=True)
class Dashboard:
    active: int
    waiting: int
    completed: int
    failed: int
    late: int
    paused: int
    dead: int
    rates: Rates
    queues: Sequence[Line]
    verdict: verdicts.Verdict
    as_of: datetime


def dashboard(team: Team, *, now: datetime) -> Dashboard:
    """Return the numbers of ``team`` in a fixed number of queries.

    ``completed`` and ``failed`` are those of the executions made in the last ``WINDOW``.
    """
    executions = Execution.objects.of_team(team)
    queues = lines(executions, now=now)
    ended = finished(executions, now=now)
    dead = executions.dead().count()
    return Dashboard(
        active=sum(line.active for line in queues),
        waiting=sum(line.waiting for line in queues),
        completed=ended.completed,
        failed=ended.failed,
        late=sum(line.late for line in queues),
        paused=Job.objects.of_team(team).kept().filter(paused_at__isnull=False).count(),
        dead=dead,
        rates=rates(ended),
        queues=queues,
        verdict=verdicts.verdict(
            queues,
            scheduler=alive.beat(now),
            fleets=alive.fleets(now),
            dead=dead,
        ),
        as_of=now,
    )


def lines(executions: ExecutionQuerySet, *, now: datetime) -> list[Line]:
    """Return the queues in which ``executions`` are unfinished, and the paused ones, by name."""
    due = Q(status=Status.SCHEDULED, due_at__lte=now)
    waiting = due | Q(status__in=[Status.QUEUED, Status.WAITING])
    unstarted = due | Q(status=Status.QUEUED)
    counted = (
        executions.filter(status__in=UNFINISHED)
        .values_list("queue")
        .annotate(
            active=Count("pk", filter=Q(status=Status.RUNNING)),
            waiting=Count("pk", filter=waiting),
            late=Count("pk", filter=unstarted & Q(due_at__lt=now - LATE_AFTER)),
            oldest_due_at=Min("due_at", filter=unstarted),
        )
    )
    paused = set(Queue.objects.filter(paused_at__isnull=False).values_list("name", flat=True))
    rows = dict.fromkeys(paused, (0, 0, 0, None)) | {name: row for name, *row in counted}
    return [Line(name, name in paused, *rows[name]) for name in sorted(rows)]


def finished(executions: ExecutionQuerySet, *, now: datetime) -> Finished:
    """Count what ended of the executions that were made in the last ``WINDOW``.

    Reads the part of an id index that this time covers, because ids sort by time.
    """
    made = executions.filter(pk__gte=first_id(now - WINDOW))
    recently = Q(finished_at__gt=now - RECENT)
    return Finished(
        **made.aggregate(
            completed=Count("pk", filter=Q(status=Status.SUCCEEDED)),
            failed=Count("pk", filter=Q(status=Status.FAILED)),
            completed_recently=Count("pk", filter=Q(status=Status.SUCCEEDED) & recently),
            failed_recently=Count("pk", filter=Q(status=Status.FAILED) & recently),
        )
    )


def rates(ended: Finished) -> Rates:
    minutes = RECENT.total_seconds() / 60
    total = ended.completed + ended.failed
    return Rates(
        completed_per_minute=ended.completed_recently / minutes,
        failed_per_minute=ended.failed_recently / minutes,
        success=round(ended.completed / total, 4) if total else None,
    )


def first_id(instant: datetime) -> UUID:
    """Return the lowest UUIDv7 that can have been made at ``instant``."""
    milliseconds = int(instant.timestamp() * 1000)
    return UUID(int=milliseconds << 80 | 7 << 76 | 2 << 62)

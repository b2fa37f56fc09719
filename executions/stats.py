"""The numbers of the dashboard: what happens now, how the last day went, and a verdict."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from executions import alive, rollups, verdicts
from executions.models import Execution
from executions.standing import lines
from jobs.models import Job

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from accounts.models import Team
    from executions.models.execution_queries import ExecutionQuerySet
    from executions.standing import Line

WINDOW = timedelta(hours=24)
RECENT = timedelta(minutes=5)  # what the rates are measured over
MINUTE = timedelta(minutes=1)
MOST_DEAD = 100_000  # counted; whoever has more does not need the number


@dataclass(frozen=True, slots=True)
class Finished:
    """What ended: in the whole window, and per minute in its last minutes."""

    completed: int
    failed: int
    completed_per_minute: float
    failed_per_minute: float


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
    """Return the numbers of ``team`` in a fixed number of queries, none of which reads history.

    What ended counts a second or two later, when the outbox has told it.
    """
    queues = lines(now, teams=[team.pk])
    ended = finished([team.pk], now=now)
    dead = dead_letters(Execution.objects.of_team(team))
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


def finished(subjects: Collection[UUID], *, now: datetime) -> Finished:
    """Add up what ended of ``subjects`` in the last ``WINDOW``; the minute of ``now`` is in it."""
    until = now.replace(second=0, microsecond=0) + MINUTE
    day = rollups.total(subjects, since=until - WINDOW, until=until)
    lately = rollups.total(subjects, since=until - RECENT, until=until)
    minutes = (now - (until - RECENT)) / MINUTE
    return Finished(
        completed=day.succeeded,
        failed=day.failed,
        completed_per_minute=round(lately.succeeded / minutes, 3),
        failed_per_minute=round(lately.failed / minutes, 3),
    )


def dead_letters(executions: ExecutionQuerySet) -> int:
    """Count the dead letters among ``executions``, up to ``MOST_DEAD``."""
    return executions.dead().order_by()[:MOST_DEAD].count()


def rates(ended: Finished) -> Rates:
    total = ended.completed + ended.failed
    return Rates(
        completed_per_minute=ended.completed_per_minute,
        failed_per_minute=ended.failed_per_minute,
        success=round(ended.completed / total, 4) if total else None,
    )


def first_id(instant: datetime) -> UUID:
    """Return the lowest UUIDv7 that can have been made at ``instant``."""
    milliseconds = int(instant.timestamp() * 1000)
    return UUID(int=milliseconds << 80 | 7 << 76 | 2 << 62)

"""Dead letters by what caused them: how many, since when, of which jobs, with one for all."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.contrib.postgres.aggregates import ArrayAgg
from django.db.models import Count, F, Max, Min, Q, TextField
from django.db.models.functions import Cast

from executions.fingerprints import UNKNOWN, own_frame
from executions.models import Attempt, Execution
from executions.stats import first_id
from jobs.models import Job

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from django.db.models import QuerySet

    from executions.models import Redrive
    from executions.models.execution_queries import ExecutionQuerySet

LATELY = timedelta(hours=1)
MOST_JOBS = 5  # that a cause names; it counts all of them


@dataclass(frozen=True, slots=True)
class Cause:
    """Dead letters of a team that failed for the same reason. ``newest`` stands for all of them.

    ``error`` is the class that was raised and ``frame`` where; both may be empty. ``trace`` is
    the newest one's, ``redrive`` the newest one of the cause, where somebody has looked for it.
    """

    team_id: UUID
    fingerprint: str
    count: int
    count_lately: int
    first_seen_at: datetime
    last_seen_at: datetime
    newest: Execution
    error: str
    frame: str
    trace: str
    jobs: Sequence[Job]
    jobs_count: int
    redrive: Redrive | None = None

    @property
    def reason(self) -> str:
        return self.newest.reason

    @property
    def message(self) -> str:
        return self.newest.message


def stored(fingerprint: str) -> str:
    """Return what rows hold of a ``fingerprint`` that people see."""
    return "" if fingerprint == UNKNOWN else fingerprint


def dead_of(executions: ExecutionQuerySet, fingerprint: str) -> ExecutionQuerySet:
    """Those of ``executions`` that failed for good of this cause and are not resolved."""
    return executions.dead().filter(fingerprint=stored(fingerprint))


def group_of(redrive: Redrive) -> ExecutionQuerySet:
    """The dead letters that ``redrive`` was started for and that nobody has dealt with yet."""
    dead = dead_of(Execution.objects.of_team(redrive.team), redrive.fingerprint)
    return dead.filter(pk__lte=redrive.up_to, finished_at__lte=redrive.created_at)


def groups(executions: ExecutionQuerySet, *, now: datetime) -> QuerySet[Any, Any]:
    """Group the dead letters of ``executions`` by team and cause, the newest cause first.

    Reads no more than the index of causes; ``described`` adds what people want to see.
    """
    made = Cast("pk", TextField())  # ids sort by time as text, too, and PostgreSQL compares text
    lately = Q(pk__gte=first_id(now - LATELY))
    return (
        executions.dead()
        .order_by()
        .values("team_id", "fingerprint")
        .annotate(
            count=Count("pk"),
            count_lately=Count("pk", filter=lately),
            oldest=Min(made),
            newest=Max(made),
        )
        .order_by("-newest")
    )


def described(rows: Iterable[dict[str, Any]]) -> list[Cause]:
    """Turn rows of ``groups`` into causes, in four queries however many there are."""
    rows = list(rows)
    ids = [UUID(row[end]) for row in rows for end in ("oldest", "newest")]
    ends = {row.pk: row for row in Execution.objects.filter(pk__in=ids).select_related("job")}
    attempts = _last_attempts(rows)
    jobs = _jobs(rows)
    return [
        _cause(row, ends, attempts, jobs)
        for row in rows
        if {UUID(row["oldest"]), UUID(row["newest"])} <= ends.keys()
    ]


def _last_attempts(rows: Sequence[dict[str, Any]]) -> dict[UUID, Attempt]:
    newest = [UUID(row["newest"]) for row in rows]
    found = Attempt.objects.filter(execution__in=newest, number=F("execution__attempt"))
    return {attempt.execution_id: attempt for attempt in found}


def _jobs(rows: Sequence[dict[str, Any]]) -> dict[tuple[UUID, str], tuple[list[Job], int]]:
    """Return by team and fingerprint the first jobs and how many there are."""
    wanted = Q(pk__in=[])
    for row in rows:
        wanted |= Q(team=row["team_id"], fingerprint=row["fingerprint"])
    named = Execution.objects.dead().filter(wanted).order_by().values("team_id", "fingerprint")
    ids = {
        (row["team_id"], row["fingerprint"]): row["ids"]
        for row in named.annotate(ids=ArrayAgg("job_id", distinct=True))
    }
    shown = {pk for found in ids.values() for pk in found[:MOST_JOBS]}
    jobs = {job.pk: job for job in Job.objects.filter(pk__in=shown)}
    return {key: ([jobs[pk] for pk in found[:MOST_JOBS]], len(found)) for key, found in ids.items()}


def _cause(
    row: dict[str, Any],
    ends: dict[UUID, Execution],
    attempts: dict[UUID, Attempt],
    jobs: dict[tuple[UUID, str], tuple[list[Job], int]],
) -> Cause:
    oldest, newest = ends[UUID(row["oldest"])], ends[UUID(row["newest"])]
    attempt = attempts.get(newest.pk)
    named, number = jobs.get((row["team_id"], row["fingerprint"]), ([newest.job], 1))
    return Cause(
        team_id=row["team_id"],
        fingerprint=row["fingerprint"] or UNKNOWN,
        count=row["count"],
        count_lately=row["count_lately"],
        first_seen_at=oldest.finished_at or oldest.created_at,
        last_seen_at=newest.finished_at or newest.created_at,
        newest=newest,
        error=attempt.error if attempt else "",
        frame=own_frame(attempt.trace) if attempt else "",
        trace=attempt.trace if attempt else "",
        jobs=named,
        jobs_count=number,
    )

"""Dead letters by what caused them: how many, since when, of which jobs, with one for all."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

from django.db import connection
from django.db.models import F

from executions.fingerprints import UNKNOWN, own_frame
from executions.models import Attempt, Execution
from executions.stats import first_id
from jobs.models import Job

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from datetime import datetime

    from executions.models import Redrive
    from executions.models.execution_queries import ExecutionQuerySet

LATELY = timedelta(hours=1)
MOST = 10_000  # dead letters of a cause that are counted
MOST_JOBS = 5  # that a cause names; it counts those of its newest dead letters
NEWEST = 1_000

DEAD = "status = 'failed' AND resolved_at IS NULL"

# A walk along the index of causes: from each to the next, however many dead letters it has.
GROUPS = f"""
WITH RECURSIVE cause AS (
    SELECT first.team_id, first.fingerprint FROM unnest(%(teams)s::uuid[]) AS team (id), LATERAL (
        SELECT team_id, fingerprint FROM executions_execution
        WHERE {DEAD} AND team_id = team.id ORDER BY fingerprint LIMIT 1
    ) AS first
    UNION ALL
    SELECT cause.team_id, following.fingerprint FROM cause, LATERAL (
        SELECT fingerprint FROM executions_execution
        WHERE {DEAD} AND team_id = cause.team_id AND fingerprint > cause.fingerprint
        ORDER BY fingerprint LIMIT 1
    ) AS following
)
SELECT team_id, fingerprint, newest.id
FROM cause, LATERAL (
    SELECT id FROM executions_execution AS execution
    WHERE {DEAD} AND team_id = cause.team_id AND execution.fingerprint = cause.fingerprint
    ORDER BY id DESC LIMIT 1
) AS newest
ORDER BY newest.id DESC
"""  # noqa: S608  the pieces are constants of this module

_NEWEST = f"""
    SELECT id, job_id FROM executions_execution AS execution
    WHERE {DEAD} AND team_id = cause.team_id AND execution.fingerprint = cause.fingerprint
    ORDER BY id
"""  # noqa: S608  as above

NUMBERS = f"""
SELECT cause.team_id, cause.fingerprint, oldest.id, counted.number, counted.lately, jobs.ids
FROM unnest(%(teams)s::uuid[], %(fingerprints)s::text[]) AS cause (team_id, fingerprint),
    LATERAL ({_NEWEST} LIMIT 1) AS oldest,
    LATERAL (
        SELECT count(*) AS number, count(*) FILTER (WHERE id >= %(since)s) AS lately
        FROM ({_NEWEST} DESC LIMIT %(most)s) AS newest
    ) AS counted,
    LATERAL (
        SELECT array_agg(DISTINCT job_id) AS ids FROM ({_NEWEST} DESC LIMIT %(newest)s) AS newest
    ) AS jobs
"""  # noqa: S608  as above


@dataclass(frozen=True, slots=True)
class Cause:
    """Dead letters of a team that failed for the same reason. ``newest`` stands for all of them.

    ``count`` and ``count_lately`` count up to ``MOST``, ``jobs`` are those of the ``NEWEST``.
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
    def count_capped(self) -> bool:
        return self.count >= MOST

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


class Group(NamedTuple):
    """A cause that a team has dead letters of, and its newest one."""

    team_id: UUID
    fingerprint: str
    newest: UUID


class Numbers(NamedTuple):
    """What is counted of a group; ``jobs`` are ids."""

    oldest: UUID
    number: int
    lately: int
    jobs: Sequence[UUID]


def groups(teams: Collection[UUID]) -> list[Group]:
    """Group the dead letters of ``teams`` by cause, the newest cause first.

    Costs as much as there are causes; ``described`` adds what people want to see.
    """
    return [Group(*row) for row in _rows(GROUPS, teams=list(teams))]


def described(found: Iterable[Group], *, now: datetime) -> list[Cause]:
    """Turn ``groups`` into causes, in four queries however many there are."""
    found = list(found)
    numbers = _numbers(found, now)
    ids = {one.newest for one in found} | {one.oldest for one in numbers.values()}
    ends = {row.pk: row for row in Execution.objects.filter(pk__in=ids).select_related("job")}
    attempts = _last_attempts(found)
    shown = {pk for one in numbers.values() for pk in one.jobs[:MOST_JOBS]}
    jobs = Job.objects.in_bulk(shown)
    return [
        _cause(group, numbers[group.team_id, group.fingerprint], ends, attempts, jobs)
        for group in found
        if (group.team_id, group.fingerprint) in numbers
    ]


def _numbers(found: Sequence[Group], now: datetime) -> dict[tuple[UUID, str], Numbers]:
    """Count each group; one that was dealt with meanwhile is not there."""
    rows = _rows(
        NUMBERS,
        teams=[group.team_id for group in found],
        fingerprints=[group.fingerprint for group in found],
        since=first_id(now - LATELY),
        most=MOST,
        newest=NEWEST,
    )
    return {(team, fingerprint): Numbers(*row) for team, fingerprint, *row in rows}


def _last_attempts(found: Sequence[Group]) -> dict[UUID, Attempt]:
    newest = [group.newest for group in found]
    rows = Attempt.objects.filter(execution__in=newest, number=F("execution__attempt"))
    return {attempt.execution_id: attempt for attempt in rows}


def _cause(
    group: Group,
    numbers: Numbers,
    ends: dict[UUID, Execution],
    attempts: dict[UUID, Attempt],
    jobs: dict[UUID, Job],
) -> Cause:
    newest = ends[group.newest]
    oldest = ends.get(numbers.oldest, newest)
    attempt = attempts.get(newest.pk)
    return Cause(
        team_id=group.team_id,
        fingerprint=group.fingerprint or UNKNOWN,
        count=numbers.number,
        count_lately=numbers.lately,
        first_seen_at=oldest.finished_at or oldest.created_at,
        last_seen_at=newest.finished_at or newest.created_at,
        newest=newest,
        error=attempt.error if attempt else "",
        frame=own_frame(attempt.trace) if attempt else "",
        trace=attempt.trace if attempt else "",
        jobs=[jobs[pk] for pk in numbers.jobs[:MOST_JOBS] if pk in jobs],
        jobs_count=len(numbers.jobs),
    )


def _rows(statement: str, **values: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows

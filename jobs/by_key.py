"""A job by its id or slug, with what starting it needs: one statement, for every start."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING
from uuid import UUID

from django.db import connection

from jobs.models import Job, JobVersion, Limit
from lib.rows import Columns

if TYPE_CHECKING:
    from accounts.models import Team

BY_ID = "job.id = %s"
BY_SLUG = "job.slug = %s AND job.archived_at IS NULL"


@cache
def _columns() -> tuple[Columns[Job], Columns[JobVersion], Columns[Limit]]:
    return Columns(Job, "job"), Columns(JobVersion, "version"), Columns(Limit, "shared")


@cache
def _statement(key: str) -> str:
    return f"""
    SELECT {", ".join(columns.sql for columns in _columns())}
    FROM jobs_job AS job
    LEFT JOIN jobs_jobversion AS version ON version.id = job.current_id
    LEFT JOIN jobs_limit AS shared ON shared.id = version.limit_id
    WHERE {key} AND job.team_id = %s
    """  # noqa: S608  the pieces are names of columns and constants of this module


def find(team: Team, key: str) -> Job | None:
    """Return the job of ``team`` with the id, or the slug, ``key``, if it has one.

    A slug names only a job that is kept. The job has its ``current`` version, and that its limit.
    """
    try:
        return _first(_statement(BY_ID), UUID(key), team)
    except ValueError:
        return _first(_statement(BY_SLUG), key, team)


def _first(statement: str, key: UUID | str, team: Team) -> Job | None:
    with connection.cursor() as cursor:
        cursor.execute(statement, [key, team.pk])
        row = cursor.fetchone()
    if row is None:
        return None
    jobs, versions, limits = _columns()
    job, place = jobs.take(row)
    version, place = versions.take(row, place)
    limit, _ = limits.take(row, place)
    assert job is not None  # noqa: S101  it was asked for
    job.team = team
    job.current = version
    if version is not None:
        version.job, version.limit = job, limit
    return job

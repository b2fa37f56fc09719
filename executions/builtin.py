"""The built-in job that the short form ``POST /run`` starts: it does nothing, on demand."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING
from uuid import UUID

from accounts.models import Team
from jobs import definitions
from jobs.models import Job

if TYPE_CHECKING:
    from datetime import datetime

NOOP = "noop"  # the slug of the job, and its kind
ANONYMOUS_TEAM = UUID("00000000-0000-7000-8000-000000000001")


def anonymous_team() -> Team:
    """Return the team that owns what nobody in particular has started; made at the first call."""
    team, _ = Team.objects.get_or_create(pk=ANONYMOUS_TEAM, defaults={"name": "anonymous"})
    return team


def noop_job(team: Team, *, now: datetime) -> Job:
    """Return the team's built-in job, made at the first call.

    Any number of callers may ask at once. Raises ``SlugTakenError`` when the team has a job of
    another kind under this name.
    """
    own = Job.objects.of_team(team).kept().filter(slug=NOOP).select_related("current")
    job = own.first()
    if job is None:
        with suppress(definitions.SlugTakenError):  # somebody made it in this moment
            body = {"name": NOOP, "slug": NOOP, "kind": NOOP}
            return definitions.create(team, body, actor=None, now=now)
        job = own.get()
    if job.kind != NOOP:
        raise definitions.SlugTakenError(f"The slug {NOOP} belongs to a job of kind {job.kind}.")
    return job

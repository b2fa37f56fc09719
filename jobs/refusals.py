"""What the state of a job does not allow, and what it does."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from jobs.models import Job


class DefinitionError(Exception):
    """The state of a job does not allow this. ``allowed_actions`` are the verbs that it does."""

    code: ClassVar[str]

    def __init__(self, message: str, *, job: Job | None = None) -> None:
        super().__init__(message)
        self.current_status = job.status if job else ""
        self.allowed_actions = allowed_actions(job) if job else []


class JobPausedError(DefinitionError):
    code = "job_paused"


class JobArchivedError(DefinitionError):
    code = "job_archived"


class RestoreExpiredError(DefinitionError):
    code = "restore_expired"


class LimitUnknownError(DefinitionError):
    """The limit that a job names was deleted meanwhile."""

    code = "limit_unknown"


class SlugTakenError(DefinitionError):
    """Another job of the team has this slug."""

    code = "slug_taken"


def allowed_actions(job: Job) -> list[str]:
    match job.status:
        case "archived":
            return ["restore"]
        case "paused":
            return ["change", "resume", "archive"]
    return ["change", "pause", "execute", "archive"]


def check_startable(job: Job) -> None:
    """Raise ``JobArchivedError`` or ``JobPausedError`` unless ``job`` may be started."""
    check_kept(job)
    if job.paused_at:
        raise JobPausedError("The job is paused; resume it first.", job=job)


def check_kept(job: Job) -> None:
    """Raise ``JobArchivedError`` if ``job`` is archived."""
    if job.archived_at:
        raise JobArchivedError("The job is archived; restore it first.", job=job)

"""How far a redrive has come, in numbers and in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import Case, Count, Value, When

from executions.causes import group_of
from executions.models import UNFINISHED, Execution, Redrive, Status

if TYPE_CHECKING:
    from collections.abc import Iterable
    from uuid import UUID


@dataclass(frozen=True, slots=True)
class Progress:
    """What became of all that a redrive started."""

    unfinished: int
    succeeded: int
    failed: int
    cancelled: int


def of(redrives: Iterable[Redrive]) -> dict[UUID, Progress]:
    """Count what has become of each of ``redrives``, in one query; by their ids."""
    ids = [redrive.pk for redrive in redrives]
    rows = Execution.objects.filter(redrive__in=ids).order_by().values_list("redrive", "status")
    counts: dict[UUID, dict[str, int]] = {pk: {} for pk in ids}
    for pk, status, number in rows.annotate(Count("pk")):
        counts[pk][status] = number
    return {pk: _progress(by_status) for pk, by_status in counts.items()}


def _progress(by_status: dict[str, int]) -> Progress:
    return Progress(
        unfinished=sum(by_status.get(status, 0) for status in UNFINISHED),
        succeeded=by_status.get(Status.SUCCEEDED, 0),
        failed=by_status.get(Status.FAILED, 0),
        cancelled=by_status.get(Status.CANCELLED, 0),
    )


def left_over(redrive: Redrive) -> dict[str, int]:
    """Count the dead letters of its group that are not started by why: ``job_paused``,
    ``job_archived``, or ``waiting`` for their turn."""
    job = Case(
        When(job__archived_at__isnull=False, then=Value("job_archived")),
        When(job__paused_at__isnull=False, then=Value("job_paused")),
        default=Value("waiting"),
    )
    counted = group_of(redrive).order_by().annotate(why=job).values_list("why")
    return dict(counted.annotate(Count("pk")).order_by("why"))


def in_words(redrive: Redrive, seen: Progress) -> str:
    """Say how far ``redrive`` has come."""
    begun = f"{redrive.started} of {redrive.total} started"
    ended = f"{seen.succeeded} succeeded, {seen.failed} failed again"
    match redrive.state:
        case Redrive.State.DONE:
            return f"Done: {begun}, {ended}. {redrive.reason}".rstrip()
        case Redrive.State.STOPPED:
            return f"Stopped: {begun}, {ended}. {redrive.reason}"
    waits = seen.unfinished and not redrive.room
    then = f" The next ones wait for {seen.unfinished} to end." if waits else ""
    return f"{begun}, {ended}.{then}"

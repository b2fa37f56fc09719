"""Taking executions from their message: claimed together, with patience for the database."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from django.conf import settings
from django.db import connection
from django.db.models import F

from executions import clock, dispatch, leases, logs, settling, shutdown, transitions
from executions.models import Attempt, Execution, Status

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from uuid import UUID


class Claimed(NamedTuple):
    """An execution that this worker runs; its lease began after ``since`` in ``clock.ticks``."""

    execution: Execution
    since: float


def claim(ids: Sequence[UUID], *, worker: str) -> list[Claimed]:
    """Claim those of ``ids`` that can be, in one statement.

    A database that is away is waited for. Returns nothing, and puts the message back, when this
    worker was told to stop.
    """
    tries: dict[datetime, float] = {}

    def attempt() -> list[Claimed]:
        if shutdown.asked():
            decline(ids)
            return []
        since, now = clock.ticks(), clock.now()
        before = dict(tries)
        tries[now] = since
        taken = transitions.claim_all(ids, worker=worker, now=now, lease=leases.length())
        mine = claimed_before(ids, worker=worker, tries=before) if before else []
        return [*mine, *(Claimed(execution, since) for execution in taken)]

    try:
        claimed = settling.patiently(attempt, until=lambda _: shutdown.asked())
    except settling.DATABASE_AWAY:
        return []
    for execution, _ in claimed:
        if execution.attempt > 1:
            logs.forget_old(execution)
    if settings.DB_POOL_SIZE:
        connection.close()  # back into the pool: a job that waits needs none
    return claimed


def claimed_before(
    ids: Sequence[UUID], *, worker: str, tries: Mapping[datetime, float]
) -> list[Claimed]:
    """Return what an earlier one of ``tries`` did claim, of which only the answer was lost."""
    mine = Attempt.objects.filter(
        execution__in=ids,
        number=F("execution__attempt"),
        execution__status=Status.RUNNING,
        worker=worker,
        started_at__in=tries,
    )
    return [
        Claimed(attempt.execution, tries[attempt.started_at])
        for attempt in mine.select_related("execution__version")
    ]


def decline(ids: Sequence[UUID]) -> None:
    """Put the message back, for others."""
    queued = Execution.objects.filter(pk__in=ids, status=Status.QUEUED)
    dispatch.publish(list(queued.select_related("version")))

"""What failed for good: start its work again as a new execution, or call it resolved."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import transaction

from executions import scheduler
from executions.models import Execution, ExecutionEvent, Origin

if TYPE_CHECKING:
    from datetime import datetime

    from executions.models.execution_queries import ExecutionQuerySet


class NotDeadError(Exception):
    """The execution is not a dead letter: it did not fail, or somebody resolved it already."""

    def __init__(self, execution: Execution) -> None:
        super().__init__(f"{execution} is no dead letter")
        self.execution = execution


@transaction.atomic
def redrive(
    execution: Execution, *, now: datetime, actor: str, payload: dict[str, Any] | None = None
) -> Execution:
    """Start the work of a dead letter again, as the job is defined now, and resolve it.

    ``payload`` replaces the input; without it the new execution takes the one that failed had.
    Raises ``NotDeadError``, ``JobPausedError``, ``JobArchivedError``.
    """
    again = scheduler.run_now(
        execution.job,
        now=now,
        actor=actor,
        payload=execution.payload if payload is None else payload,
        origin=Origin.REDRIVE,
        reason=f"redrive of {execution.pk}",
    )
    _resolve(execution, now=now, actor=actor, what="redriven", detail={"as": str(again.pk)})
    return again


@transaction.atomic
def resolve(execution: Execution, *, now: datetime, actor: str) -> None:
    """Nothing more is to be done about this one. Raises ``NotDeadError``."""
    _resolve(execution, now=now, actor=actor, what="resolved", detail={})


@transaction.atomic
def resolve_all(executions: ExecutionQuerySet, *, now: datetime, actor: str, limit: int) -> int:
    """Resolve up to ``limit`` of the dead letters in ``executions``; return how many.

    Those that somebody else deals with at this moment are left to them.
    """
    rows = list(executions.dead().order_by("pk").lock_free(limit))
    Execution.objects.filter(pk__in=[row.pk for row in rows]).update(resolved_at=now)
    ExecutionEvent.objects.bulk_create(
        ExecutionEvent(execution=row, at=now, what="resolved", actor=actor) for row in rows
    )
    return len(rows)


def _resolve(
    execution: Execution, *, now: datetime, actor: str, what: str, detail: dict[str, Any]
) -> None:
    dead = Execution.objects.dead().filter(pk=execution.pk)
    if not dead.update(resolved_at=now):
        raise NotDeadError(execution)
    execution.resolved_at = now
    ExecutionEvent.objects.create(
        execution=execution, at=now, what=what, actor=actor, detail=detail
    )

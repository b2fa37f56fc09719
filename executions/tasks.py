"""What Celery calls; each task unpacks its message and hands over."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from celery import shared_task
from django.db import InterfaceError, OperationalError

from executions import clock, maintenance, runner
from jobs.kinds.base import Failed

if TYPE_CHECKING:
    from celery import Task


class ExecutionFailedError(Exception):
    """Tells Celery and Flower that the attempt failed; Chronos has recorded it already."""


@shared_task(
    name="executions.run",
    bind=True,
    ignore_result=True,
    throws=(ExecutionFailedError,),
    autoretry_for=(OperationalError, InterfaceError),
    retry_backoff=1,
    retry_backoff_max=15,
    max_retries=3,
)
def run_execution(self: Task, execution_id: str) -> str:
    """Run one attempt. Celery's own retry is for a database that is away before it begins."""
    outcome = runner.run(UUID(execution_id), worker=self.request.hostname or "unknown")
    if isinstance(outcome, Failed):
        raise ExecutionFailedError(f"{outcome.reason}: {outcome.message}")
    return "nothing to run" if outcome is None else type(outcome).__name__.lower()


@shared_task(name="executions.sweep")
def sweep() -> dict[str, int]:
    """Run every maintenance pass to its end; beats run single batches in between."""
    return maintenance.sweep_all(clock.now())

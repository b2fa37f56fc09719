"""What Celery calls; each task unpacks its message and hands over."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from celery import Task, shared_task
from celery.exceptions import WorkerLostError
from celery.worker.request import Request

from executions import clock, forcing, maintenance, runner
from jobs.kinds.base import Failed


class ExecutionFailedError(Exception):
    """Tells Celery and Flower that the attempt failed; Chronos has recorded it already."""


class ExecutionRequest(Request):  # type: ignore[misc]  # untyped library
    """Settles the attempt of a pool child that died with it."""

    def on_failure(self, exc_info: Any, *args: Any, **kwargs: Any) -> None:
        super().on_failure(exc_info, *args, **kwargs)
        exc = getattr(exc_info.exception, "exc", exc_info.exception)
        if isinstance(exc, WorkerLostError) and self.worker_pid:
            how = str(exc).partition(": ")[2].partition(" Job: ")[0].rstrip(".")
            forcing.lost(UUID(self.args[0]), pid=self.worker_pid, how=how)


class ExecutionTask(Task):  # type: ignore[misc]  # untyped library
    Request = ExecutionRequest


@shared_task(
    base=ExecutionTask,
    name="executions.run",
    bind=True,
    ignore_result=True,
    throws=(ExecutionFailedError,),
)
def run_execution(self: Task, execution_id: str) -> str:
    """Run one attempt."""
    outcome = runner.run(UUID(execution_id), worker=self.request.hostname or "unknown")
    if isinstance(outcome, Failed):
        raise ExecutionFailedError(f"{outcome.reason}: {outcome.message}")
    return "nothing to run" if outcome is None else type(outcome).__name__.lower()


@shared_task(name="executions.sweep")
def sweep() -> dict[str, int]:
    """Run every maintenance pass to its end; beats run single batches in between."""
    return maintenance.sweep_all(clock.now())

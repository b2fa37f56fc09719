"""What Celery calls; each task unpacks its message and hands over."""

from __future__ import annotations

from collections import Counter
from typing import Any
from uuid import UUID

from celery import Task, shared_task
from celery.exceptions import WorkerLostError
from celery.worker.request import Request

from executions import batches, clock, events, forcing, maintenance
from jobs.kinds.base import Failed


class ExecutionFailedError(Exception):
    """Tells Celery and Flower that the attempt failed; Chronos has recorded it already."""


class ExecutionRequest(Request):  # type: ignore[misc]  # untyped library
    """Settles the attempts of a pool child that died with them."""

    def on_failure(self, exc_info: Any, *args: Any, **kwargs: Any) -> None:
        super().on_failure(exc_info, *args, **kwargs)
        exc = getattr(exc_info.exception, "exc", exc_info.exception)
        if isinstance(exc, WorkerLostError) and self.worker_pid:
            how = str(exc).partition(": ")[2].partition(" Job: ")[0].rstrip(".")
            forcing.lost([UUID(one) for one in self.args], pid=self.worker_pid, how=how)


class ExecutionTask(Task):  # type: ignore[misc]  # untyped library
    Request = ExecutionRequest


@shared_task(
    base=ExecutionTask,
    name="executions.run",
    bind=True,
    ignore_result=True,
    throws=(ExecutionFailedError,),
)
def run_execution(self: Task, *execution_ids: str) -> str:
    """Run one attempt of each execution that the message names."""
    worker = self.request.hostname or "unknown"
    ran = batches.run([UUID(one) for one in execution_ids], worker=worker)
    if len(execution_ids) > 1:
        events.tell([one for one in ran if one.task_id != self.request.id], worker=worker)
    elif ran and isinstance(failed := ran[0].outcome, Failed):
        raise ExecutionFailedError(f"{failed.reason}: {failed.message}")
    numbers = Counter(type(one.outcome).__name__.lower() for one in ran)
    return ", ".join(f"{number} {what}" for what, number in numbers.items()) or "nothing to run"


@shared_task(name="executions.sweep")
def sweep() -> dict[str, int]:
    """Run every maintenance pass to its end; beats run single batches in between."""
    return maintenance.sweep_all(clock.now())


@shared_task(name="executions.prune")
def prune() -> dict[str, int]:
    """Delete what is older than the retention; what is left over waits for the next minute."""
    return maintenance.prune_all(clock.now())

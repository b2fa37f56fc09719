"""Start work again that was given up: a dead letter, or what somebody cancelled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from executions import deadletters, scheduler
from executions.models import Execution, Origin, Status

if TYPE_CHECKING:
    from datetime import datetime


def run_again(
    execution: Execution, *, now: datetime, actor: str, payload: dict[str, Any] | None = None
) -> Execution:
    """Return a new execution of the same job and input, or of ``payload``, as it is defined now.

    Raises ``NotDeadError`` unless the execution was cancelled, or failed and is unresolved, and
    ``JobPausedError`` or ``JobArchivedError`` when its job may not be started.
    """
    if execution.status != Status.CANCELLED:
        return deadletters.redrive(execution, now=now, actor=actor, payload=payload)
    return scheduler.run_now(
        execution.job,
        now=now,
        actor=actor,
        payload=execution.payload if payload is None else payload,
        origin=Origin.RETRY,
        reason=f"retry of {execution.pk}",
    )

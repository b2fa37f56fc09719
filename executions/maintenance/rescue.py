"""Leases that ran out: the worker is gone, so its executions start again or fail."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog
from django.db import transaction

from executions import transitions
from executions.models import Attempt, Execution
from executions.transitions import Report
from jobs.policies import OnLost

if TYPE_CHECKING:
    from datetime import datetime

log = structlog.get_logger(__name__)

MAX_LOSSES = 3  # an execution that takes three workers with it is not given a fourth


@transaction.atomic
def rescue(now: datetime, limit: int = 200) -> int:
    """Settle executions whose lease ran out before ``now``; return how many.

    Any number of processes may call this at once: SKIP LOCKED deals the rows out, and a row that
    its worker settles at this moment is left to the worker.
    """
    lost = list(Execution.objects.lost(now).select_related("version").lock_free(limit))
    for execution in lost:
        _rescue(execution, now)
    return len(lost)


def _rescue(execution: Execution, now: datetime) -> None:
    silent = f"{execution.worker} stopped renewing its lease, which ended at "
    message = f"{silent}{execution.lease_expires_at:%H:%M:%S} UTC."
    log.warning("execution.lost", execution_id=str(execution.pk), worker=execution.worker)
    if execution.version.on_lost == OnLost.FAIL:
        report = Report(reason="worker_lost", message=message)
        transitions.fail(execution, now=now, report=report, outcome=Attempt.Outcome.LOST)
    elif execution.losses + 1 >= MAX_LOSSES:
        report = Report(reason="quarantined", message=f"{message} It was worker {MAX_LOSSES}.")
        transitions.fail(execution, now=now, report=report, outcome=Attempt.Outcome.LOST)
    else:
        report = Report(reason="worker_lost", message=message)
        transitions.lose(execution, now=now, report=report)

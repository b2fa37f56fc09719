"""Leases that ran out: the worker is gone, so its executions start again or fail."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from executions import endings
from executions.models import Execution

if TYPE_CHECKING:
    from datetime import datetime


@transaction.atomic
def rescue(now: datetime, limit: int = 200) -> int:
    """Settle executions whose lease ran out before ``now``; return how many.

    Any number of processes may call this at once: SKIP LOCKED deals the rows out, and a row that
    its worker settles at this moment is left to the worker.
    """
    lost = list(Execution.objects.lost(now).select_related("version").lock_free(limit))
    for execution in lost:
        ended = f"{execution.lease_expires_at:%H:%M:%S} UTC"
        message = f"{execution.worker} stopped renewing its lease, which ended at {ended}."
        endings.lose(execution, now=now, reason="worker_lost", message=message)
    return len(lost)

"""Waited too long: for a start whose deadline has passed, or for a report that did not come."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from executions import endings, transitions
from executions.models import Execution
from jobs.kinds.base import Failed

if TYPE_CHECKING:
    from datetime import datetime


def expire(now: datetime, limit: int = 500) -> int:
    """Skip what may not start any more, and fail what was not reported in time; return how many.

    A report that is missing is a failed try: whether there is another one, the job's retry
    policy says. Any number of processes may call this at once.
    """
    return _skip_late_starts(now, limit) + _fail_unreported(now, limit)


@transaction.atomic
def _skip_late_starts(now: datetime, limit: int) -> int:
    late = list(Execution.objects.past_start(now).lock_free(limit))
    transitions.skip_all(late, now=now, reason="expired", detail={})
    return len(late)


@transaction.atomic
def _fail_unreported(now: datetime, limit: int) -> int:
    silent = list(Execution.objects.unreported(now).select_related("version").lock_free(limit))
    for execution in silent:
        message = f"Nobody reported by {execution.due_at:%Y-%m-%d %H:%M:%S} UTC."
        endings.record(execution, Failed("no_report", message), now=now)
    return len(silent)

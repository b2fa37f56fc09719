"""Queued too long: the message may be lost, so a worker is woken again."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from django.db import transaction

from executions import dispatch
from executions.models import Execution
from lib import backoff

if TYPE_CHECKING:
    from datetime import datetime

FIRST = timedelta(seconds=15)
LONGEST = timedelta(minutes=10)


def redispatch(now: datetime, limit: int = 500) -> int:
    """Publish queued executions again whose message was not claimed in time; return how many.

    A message that is only late makes a double, which dies at the claim. The wait grows with each
    publication, so that a long backlog is not sent again at every sweep.
    """
    with transaction.atomic():
        silent = list(Execution.objects.overdue_message(now).lock_free(limit))
        for execution in silent:
            execution.publishes += 1
            execution.publish_at = now + backoff.exponential(
                execution.publishes, base=FIRST, cap=LONGEST
            )
        Execution.objects.bulk_update(silent, ["publishes", "publish_at"])
    dispatch.publish(silent)
    return len(silent)

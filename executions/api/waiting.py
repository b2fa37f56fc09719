"""Keeping a caller until an execution is finished, or until the caller's patience ends."""

from __future__ import annotations

import time
from time import sleep
from typing import TYPE_CHECKING

from django.db import connection

from executions.models import FINISHED, Execution

if TYPE_CHECKING:
    from uuid import UUID

FIRST_PAUSE = 0.05  # seconds
LONGEST_PAUSE = 0.5


def wait_until_finished(execution_id: UUID, *, seconds: float) -> None:
    """Return when the execution is finished, gone, or ``seconds`` are over.

    Looks again and again with growing pauses, in which it holds no database connection.
    """
    deadline = time.monotonic() + seconds
    pause = FIRST_PAUSE
    unfinished = Execution.objects.filter(pk=execution_id).exclude(status__in=FINISHED)
    while (left := deadline - time.monotonic()) > 0 and unfinished.exists():
        if not connection.in_atomic_block:
            connection.close()
        sleep(min(pause, left))
        pause = min(pause * 1.5, LONGEST_PAUSE)

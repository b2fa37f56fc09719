"""What jobs of the crash tests run in a pool child of a compute worker."""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING

from jobs.kinds.functions import job_function
from tests.crash.app import record

if TYPE_CHECKING:
    from jobs.kinds.base import Context

TICK_SECONDS = 0.05


@job_function("crash.work")
def work(before: float = 0.0, after: float = 0.0, *, context: Context) -> dict[str, int]:
    """Wait ``before`` seconds, leave the mark that counts as the start, wait ``after`` seconds."""
    record.append("entered", execution=str(context.execution_id))
    time.sleep(before)
    _start(context)
    time.sleep(after)
    return {"attempt": context.attempt}


@job_function("crash.tick")
def tick(seconds: float, *, context: Context) -> dict[str, int]:
    """Start, then leave a mark every ``TICK_SECONDS``: as long as there are any, this runs."""
    _start(context)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        record.append("tick", execution=str(context.execution_id), attempt=context.attempt)
        time.sleep(TICK_SECONDS)
    return {"attempt": context.attempt}


@job_function("crash.die")
def die(*, context: Context) -> None:
    """End the process that runs this, as the kernel does when memory is short."""
    _start(context)
    os.kill(os.getpid(), signal.SIGKILL)


def _start(context: Context) -> None:
    record.append("start", execution=str(context.execution_id), attempt=context.attempt)

"""Windows on what happened and what is happening, with buttons."""

from __future__ import annotations

from executions.admin.deadletters import DeadLetterAdmin
from executions.admin.executions import ExecutionAdmin
from executions.admin.fleet import BeatAdmin, WorkerAdmin
from executions.admin.queues import QueueAdmin

__all__ = ["BeatAdmin", "DeadLetterAdmin", "ExecutionAdmin", "QueueAdmin", "WorkerAdmin"]

"""What happened and what is happening: executions, their history, and the fleet that runs them."""

from __future__ import annotations

from executions.models.audit import AuditFinding, AuditMark
from executions.models.deadletter import DeadLetter
from executions.models.execution import Execution
from executions.models.fleet import Beat, Queue, Worker
from executions.models.history import Attempt, ExecutionEvent, LogChunk
from executions.models.outbox import OutboxEvent
from executions.models.periodic import PeriodicState
from executions.models.redrive import Redrive
from executions.models.rollup import Rollup
from executions.models.statuses import FINISHED, UNFINISHED, Origin, Status, task_id

__all__ = [
    "FINISHED",
    "UNFINISHED",
    "Attempt",
    "AuditFinding",
    "AuditMark",
    "Beat",
    "DeadLetter",
    "Execution",
    "ExecutionEvent",
    "LogChunk",
    "Origin",
    "OutboxEvent",
    "PeriodicState",
    "Queue",
    "Redrive",
    "Rollup",
    "Status",
    "Worker",
    "task_id",
]

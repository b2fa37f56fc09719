"""What is kept of an execution: its attempts, events and output.

No foreign key in the database checks the execution: each check costs more than the row, only
``maintenance.prune`` deletes executions, and it takes these rows with them.
"""

from __future__ import annotations

from django.db import models

from executions.models.execution import Execution
from executions.models.statuses import task_id


class Attempt(models.Model):
    """One try: who, when, and how it ended. Numbers only grow; none is used twice."""

    class Outcome(models.TextChoices):
        SUCCEEDED = "succeeded"
        FAILED = "failed"
        LOST = "lost"
        HANDED_BACK = "handed_back"
        CANCELLED = "cancelled"
        WAITING = "waiting"

    execution = models.ForeignKey(
        Execution,
        on_delete=models.CASCADE,
        related_name="attempts",
        db_index=False,
        db_constraint=False,
    )
    number = models.PositiveIntegerField()
    worker = models.CharField(max_length=200)
    pid = models.PositiveIntegerField(null=True)
    queued_at = models.DateTimeField(null=True)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=16, choices=Outcome.choices, blank=True)
    reason = models.CharField(max_length=64, blank=True)
    message = models.TextField(blank=True)
    error = models.CharField(max_length=200, blank=True, db_default="")
    trace = models.TextField(blank=True)

    class Meta:
        ordering = ["execution", "number"]
        constraints = [
            models.UniqueConstraint(
                fields=["execution", "number"], name="one_attempt_per_execution_and_number"
            ),
        ]

    def __str__(self) -> str:
        return f"attempt {self.number}"

    @property
    def task_id(self) -> str:
        return task_id(self.execution_id, self.number)


class ExecutionEvent(models.Model):
    """What an attempt cannot tell: skipped, cancelled, redriven, by whom."""

    execution = models.ForeignKey(
        Execution, on_delete=models.CASCADE, related_name="events", db_constraint=False
    )
    at = models.DateTimeField()
    what = models.CharField(max_length=32)
    actor = models.CharField(max_length=254, blank=True)
    detail = models.JSONField(default=dict)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return self.what


class LogChunk(models.Model):
    """A piece of an execution's output, as it was flushed. Ids order the output.

    ``omitted`` bytes were left out at this place, because there were too many.
    """

    execution = models.ForeignKey(
        Execution,
        on_delete=models.CASCADE,
        related_name="log_chunks",
        db_index=False,
        db_constraint=False,
    )
    attempt = models.PositiveIntegerField()
    at = models.DateTimeField()
    stream = models.CharField(max_length=8)
    text = models.TextField()
    omitted = models.PositiveBigIntegerField(default=0, db_default=0)

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["execution", "id"], name="logchunk_execution_idx")]

    def __str__(self) -> str:
        return f"{self.stream}: {self.text[:40]}"

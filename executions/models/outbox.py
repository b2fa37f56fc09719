"""What the outside must hear, as it was written in the transaction that made it true."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q

from accounts.models import Team


class OutboxQuerySet(models.QuerySet["OutboxEvent"]):
    def waiting(self) -> OutboxQuerySet:
        """Events that are still to be delivered, in the order in which they were written."""
        return self.filter(fault="").order_by("id")

    def set_aside(self) -> OutboxQuerySet:
        """Events that no channel takes; they stay until somebody looks."""
        return self.exclude(fault="")

    def lock_free(self, limit: int) -> OutboxQuerySet:
        """Lock up to ``limit`` rows that no other process holds. Needs a transaction."""
        return self.select_for_update(skip_locked=True, of=("self",))[:limit]


class OutboxEvent(models.Model):
    """Something that happened, on its way to all who listen; deleted once it was delivered.

    ``id`` orders events and stays the same when one is delivered twice. ``subject`` is the id of
    the execution (or job, redrive) that ``topic`` (``execution.succeeded``) is about; what belongs
    to no team is everybody's. One that cannot be delivered keeps its ``fault`` and is passed by.
    """

    team = models.ForeignKey(
        Team, on_delete=models.CASCADE, null=True, related_name="+", db_index=False
    )
    at = models.DateTimeField()
    topic = models.CharField(max_length=64)
    subject = models.UUIDField(null=True)
    body = models.JSONField(default=dict)
    fault = models.CharField(max_length=300, blank=True, db_default="")

    objects: ClassVar[OutboxQuerySet] = OutboxQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["at"], name="outbox_fault_idx", condition=~Q(fault=""))]

    def __str__(self) -> str:
        return f"{self.topic} {self.subject}"

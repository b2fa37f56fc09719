"""What the outside must hear, as it was written in the transaction that made it true."""

from __future__ import annotations

from django.db import models

from accounts.models import Team


class OutboxEvent(models.Model):
    """Something that happened, on its way to all who listen; deleted once it was delivered.

    ``id`` orders events and stays the same when one is delivered twice. ``subject`` is the id of
    the execution (or job, queue) that ``topic`` (``execution.succeeded``) is about.
    """

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="+", db_index=False)
    at = models.DateTimeField()
    topic = models.CharField(max_length=64)
    subject = models.UUIDField()
    body = models.JSONField(default=dict)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.topic} {self.subject}"

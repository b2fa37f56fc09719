"""What the audit found, and how far it has come."""

from __future__ import annotations

from django.db import models


class AuditFinding(models.Model):
    """A promise that the tables do not keep. There should be none; each stays until deleted.

    ``SLOT_LOST`` and ``SLOT_DOUBLED`` are about ``schedule`` and its slots with ``since <= slot <
    until``, of which there are ``expected`` by its trigger and ``found`` in the rows.
    ``EXECUTION_ODD`` is about ``execution``, whose attempts do not fit to its status.
    """

    class What(models.TextChoices):
        SLOT_LOST = "slot_lost"
        SLOT_DOUBLED = "slot_doubled"
        EXECUTION_ODD = "execution_odd"

    at = models.DateTimeField()
    what = models.CharField(max_length=16, choices=What.choices)
    schedule = models.UUIDField(null=True)
    since = models.DateTimeField(null=True)
    until = models.DateTimeField(null=True)
    expected = models.BigIntegerField(null=True)
    found = models.BigIntegerField(null=True)
    execution = models.UUIDField(null=True)
    message = models.CharField(max_length=300)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return self.message


class AuditMark(models.Model):
    """Up to which row a walk through all executions has come: an audit's, or the one that prunes.

    ``at`` is when an audit last looked, or when the pruning round began.
    """

    name = models.CharField(primary_key=True, max_length=32)
    up_to = models.UUIDField()
    at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name

"""Answers that are kept for requests that come again."""

from __future__ import annotations

from django.db import models


class KeptAnswer(models.Model):
    """What a POST with an ``Idempotency-Key`` was answered; ``accounts.idempotency`` writes it."""

    id = models.CharField(primary_key=True, max_length=64, editable=False)
    """Stands for actor, route and key."""
    request = models.CharField(max_length=64)
    """Stands for what was asked."""
    answer = models.BinaryField()
    """Sealed with the request: whoever reads the table learns no token from it."""
    created_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"answer of {self.created_at:%Y-%m-%d %H:%M}"

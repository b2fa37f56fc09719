"""What beats remember of the rows of django-celery-beat."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from django.db import models
from django_celery_beat.models import PeriodicTask

if TYPE_CHECKING:
    from datetime import datetime


class PeriodicStateQuerySet(models.QuerySet["PeriodicState"]):
    def due(self, now: datetime) -> PeriodicStateQuerySet:
        """Rows whose next slot has come, the most overdue first."""
        return self.filter(next_slot__lte=now).order_by("next_slot")

    def lock_free(self) -> PeriodicStateQuerySet:
        """Lock the rows that no other process holds. Needs a transaction."""
        return self.select_for_update(skip_locked=True, of=("self",))


class PeriodicState(models.Model):
    """Where a ``PeriodicTask`` stands; its own columns cannot tell one slot from another."""

    row = models.OneToOneField(
        PeriodicTask, on_delete=models.CASCADE, primary_key=True, related_name="chronos"
    )
    fingerprint = models.CharField(max_length=32, blank=True)
    """Of the row as it was when ``next_slot`` was found: another one means that it was edited."""
    next_slot = models.DateTimeField(null=True)
    """``None``: there is none any more, or the row is switched off."""
    reason = models.CharField(max_length=300, blank=True)
    """Why the row was switched off as one that cannot be carried out."""

    objects: ClassVar[PeriodicStateQuerySet] = PeriodicStateQuerySet.as_manager()  # type: ignore[assignment]

    def __str__(self) -> str:
        return f"state of periodic task {self.pk}"

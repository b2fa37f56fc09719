"""A group of dead letters that is being started again, and how far that has come."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from django.db import models
from django.db.models import Q

from accounts.models import Team
from lib.ids import new_id

if TYPE_CHECKING:
    from datetime import datetime


class RedriveQuerySet(models.QuerySet["Redrive"]):
    def of_team(self, team: Team) -> RedriveQuerySet:
        return self.filter(team=team)

    def due(self, now: datetime) -> RedriveQuerySet:
        """Those that may go on now, the longest waiting first."""
        return self.filter(finished_at__isnull=True, next_at__lte=now).order_by("next_at")

    def lock_free(self, limit: int) -> RedriveQuerySet:
        """Lock up to ``limit`` rows that no other process holds. Needs a transaction."""
        return self.select_for_update(skip_locked=True, of=("self",))[:limit]


CANARY = (1, 10)  # how many each careful stage starts; then come the rest


class Redrive(models.Model):
    """Starts the dead letters of one cause again: all at once, or carefully, one, ten, the rest.

    ``rate`` is how many it starts per second at most; the next one not before ``next_at``. It
    stops by itself when what it started fails with the same fingerprint again. Of the group
    ``up_to`` is the newest and ``total`` the number when it began.
    """

    class Mode(models.TextChoices):
        ALL = "all"
        CANARY = "canary"

    class State(models.TextChoices):
        RUNNING = "running"
        DONE = "done"
        STOPPED = "stopped"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="+", db_index=False)
    fingerprint = models.CharField(max_length=32)
    mode = models.CharField(max_length=8, choices=Mode.choices)
    rate = models.FloatField(default=10)
    state = models.CharField(max_length=8, choices=State.choices, default=State.RUNNING)
    reason = models.CharField(max_length=200, blank=True)
    stage = models.PositiveSmallIntegerField(default=0)
    up_to = models.UUIDField()
    total = models.PositiveIntegerField()
    started = models.PositiveIntegerField(default=0)
    next_at = models.DateTimeField()
    created_by = models.CharField(max_length=254)
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    objects: ClassVar[RedriveQuerySet] = RedriveQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=Q(rate__gt=0), name="redrive_has_a_rate"),
            models.UniqueConstraint(
                fields=["team", "fingerprint"],
                condition=Q(finished_at__isnull=True),
                name="one_running_redrive_per_cause",
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_at"],
                name="redrive_due_idx",
                condition=Q(finished_at__isnull=True),
            ),
            models.Index(fields=["team", "-id"], name="redrive_team_idx"),
        ]

    def __str__(self) -> str:
        return f"redrive {self.id}"

    @property
    def room(self) -> int:
        """How many more its stage may start; a careful one waits then for them to end."""
        if self.mode == self.Mode.ALL or self.stage >= len(CANARY):
            return self.total
        return max(0, sum(CANARY[: self.stage + 1]) - self.started)

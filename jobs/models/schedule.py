"""When a job is due: a trigger, bounds, policies, and how far its slots are decided."""

from __future__ import annotations

from datetime import UTC, timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from django.db import models
from django.db.models import Q

from jobs import policies, specs, triggers
from jobs.models.job import Job, choices
from jobs.triggers.preview import preview
from lib.ids import new_id

if TYPE_CHECKING:
    from datetime import datetime

    from jobs.triggers.base import Trigger
    from jobs.triggers.preview import Preview


class ScheduleQuerySet(models.QuerySet["Schedule"]):
    def due(self, now: datetime) -> ScheduleQuerySet:
        """Schedules whose next slot has come, the most overdue first."""
        return self.filter(enabled=True, next_fire_at__lte=now).order_by("next_fire_at")

    def lock_free(self, limit: int) -> ScheduleQuerySet:
        """Lock up to ``limit`` rows that no other process holds. Needs a transaction."""
        return self.select_for_update(skip_locked=True, of=("self",))[:limit]

    def next_instant(self, now: datetime) -> datetime | None:
        """When the next enabled schedule after ``now`` is due; ``None`` when none is."""
        coming = self.filter(enabled=True, next_fire_at__gt=now).order_by("next_fire_at")
        return coming.values_list("next_fire_at", flat=True).first()


class Schedule(models.Model):
    """When a job is due: a trigger, a zone, policies, and a cursor ``next_fire_at``."""

    class Type(models.TextChoices):
        MANUAL = "manual"
        ONCE = "once"
        INTERVAL = "interval"
        CRON = "cron"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    job = models.OneToOneField(Job, on_delete=models.CASCADE, related_name="schedule")
    type = models.CharField(max_length=16, choices=Type.choices, default=Type.MANUAL)
    cron = models.CharField(max_length=256, blank=True)
    timezone = models.CharField(max_length=64, default="UTC")
    every_seconds = models.PositiveIntegerField(null=True, blank=True)
    anchor = models.DateTimeField(null=True, blank=True)
    mode = models.CharField(
        max_length=16,
        choices=choices(policies.IntervalMode),
        default=policies.IntervalMode.FIXED_RATE,
        db_default=policies.IntervalMode.FIXED_RATE,
    )
    run_at = models.DateTimeField(null=True, blank=True)
    starts_at = models.DateTimeField(null=True, blank=True)
    ends_at = models.DateTimeField(null=True, blank=True)
    max_executions = models.PositiveIntegerField(null=True, blank=True)
    jitter_seconds = models.FloatField(default=0, db_default=0)
    misfire = models.CharField(
        max_length=16, choices=choices(policies.Misfire), default=policies.Misfire.LATEST
    )
    catch_up_max = models.PositiveIntegerField(
        default=policies.CATCH_UP, db_default=policies.CATCH_UP
    )
    catch_up_pace_seconds = models.FloatField(default=0, db_default=0)
    overlap = models.CharField(
        max_length=16, choices=choices(policies.Overlap), default=policies.Overlap.SKIP
    )
    missed = models.CharField(
        max_length=16, choices=choices(policies.Misfire), blank=True, db_default="", editable=False
    )
    fired = models.PositiveIntegerField(default=0, db_default=0, editable=False)
    audited_until = models.DateTimeField(null=True, blank=True, editable=False)
    next_fire_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_fired_at = models.DateTimeField(null=True, blank=True, editable=False)
    enabled = models.BooleanField(default=True, editable=False)
    disabled_reason = models.CharField(max_length=300, blank=True, editable=False)

    objects: ClassVar[ScheduleQuerySet] = ScheduleQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=~Q(type="cron") | ~Q(cron=""), name="cron_schedule_has_an_expression"
            ),
            models.CheckConstraint(
                condition=~Q(type="interval") | Q(every_seconds__gte=1),
                name="interval_schedule_has_a_length",
            ),
            models.CheckConstraint(
                condition=~Q(type="once") | Q(run_at__isnull=False),
                name="once_schedule_has_an_instant",
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_fire_at"],
                name="schedule_due_idx",
                condition=Q(enabled=True, next_fire_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        match self.type:
            case self.Type.CRON:
                return f"{self.cron} {self.timezone}"
            case self.Type.INTERVAL:
                return f"every {self.every_seconds} s"
            case self.Type.ONCE if self.run_at:
                return f"once at {self.run_at:%Y-%m-%d %H:%M:%S} UTC"
        return "by hand"

    @property
    def spec(self) -> dict[str, Any]:
        """The canonical schedule: what the API shows and ``triggers.build`` takes."""
        return specs.of(self)

    @property
    def jitter(self) -> timedelta:
        """How long after each slot the job starts; the same every time."""
        return policies.jitter(self.job_id, timedelta(seconds=self.jitter_seconds))

    def preview(self, now: datetime, *, count: int) -> Preview:
        """Return the next ``count`` slots after ``now``, and what to know about them.

        Raises ``TriggerError`` for a schedule that no longer makes sense.
        """
        return preview(self.spec, now=now, count=count, fired=self.fired, jitter=self.jitter)

    @property
    def trigger(self) -> Trigger:
        return triggers.build(self.spec)

    def take_slots(self, now: datetime) -> policies.Taken:
        """Move the cursor past ``now``; return what to run and what to skip.

        Raises ``TriggerError`` when the schedule cannot name its next slot.
        """
        assert self.next_fire_at is not None  # noqa: S101  only due schedules are taken
        taken = policies.slots_to_run(
            self.trigger, self.next_fire_at.astimezone(UTC), now, policies.Misfire(self.misfire)
        )
        self.next_fire_at = taken.cursor
        self.last_fired_at = now
        return taken

"""When a job is due: a trigger, bounds, policies, and how far its slots are decided."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from django.db import models
from django.db.models import Q

from jobs import policies, specs, triggers
from jobs.models.due import RESTING, UNAUDITED, ScheduleQuerySet
from jobs.models.job import Job, choices
from jobs.slots import NO_GRACE, Rule, Why, ended, pass_over, slots_to_run
from jobs.triggers.preview import preview
from lib.ids import new_id
from lib.text import storable

if TYPE_CHECKING:
    from datetime import datetime

    from jobs.slots import Stretch, Taken
    from jobs.triggers.base import Trigger
    from jobs.triggers.preview import Preview


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
    missed_until = models.DateTimeField(null=True, blank=True, editable=False)
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
            models.Index(
                fields=["id"],
                name="schedule_unarmed_idx",
                condition=Q(mode="fixed_delay", next_fire_at__isnull=True),
            ),
            models.Index(
                fields=["audited_until"],
                name="schedule_unaudited_idx",
                condition=UNAUDITED,
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
        if not self.jitter_seconds:
            return timedelta(0)
        return policies.jitter(self.job_id, timedelta(seconds=self.jitter_seconds))

    @property
    def catch_up_pace(self) -> timedelta:
        """How far apart late slots start."""
        return timedelta(seconds=self.catch_up_pace_seconds)

    def preview(self, now: datetime, *, count: int) -> Preview:
        """Return the next ``count`` slots after ``now``, and what to know about them.

        Raises ``TriggerError`` for a schedule that no longer makes sense.
        """
        return preview(self.spec, now=now, count=count, fired=self.fired, jitter=self.jitter)

    @property
    def trigger(self) -> Trigger:
        return triggers.build(vars(self))  # a spec says the same; making one takes longer

    @property
    def left(self) -> int | None:
        """How many more executions the schedule may have; None: any number."""
        return None if self.max_executions is None else max(0, self.max_executions - self.fired)

    @property
    def is_set_aside(self) -> bool:
        """Whether it was disabled because it could not be handled."""
        return not self.enabled and self.disabled_reason not in (*RESTING, Why.ENDED)

    @property
    def goes_on(self) -> bool:
        """Whether it fires as it did, and owes nothing of a pause."""
        return self.enabled and not (self.missed or self.missed_until or self.disabled_reason)

    @property
    def is_fixed_delay(self) -> bool:
        return self.mode == policies.IntervalMode.FIXED_DELAY

    def take_slots(self, now: datetime) -> Taken:
        """Move the cursor past ``now``; return what to run and what to skip.

        After a resume, the slots up to it come first, by what was chosen then. Raises
        ``TriggerError`` when the schedule cannot name its next slot.
        """
        cursor = self._cursor()
        if self.missed and self.missed_until and cursor <= self.missed_until:
            missed = policies.Misfire(self.missed)
            rule = self._rule(missed, grace=NO_GRACE, why=Why.PAUSED)
            until = min(self.missed_until, now)
            taken = slots_to_run(self._takable(cursor), cursor, until, rule)
            if taken.cursor is None:  # that was the last one: what is due since then does not run
                rest = ended(self._takable(cursor), after=until, now=now)
                taken = replace(taken, skipped=(*taken.skipped, *rest))
        else:
            rule = self._rule(policies.Misfire(self.misfire))
            taken = slots_to_run(self._takable(cursor), cursor, now, rule)
        self._move(taken)
        self.last_fired_at = now
        return taken

    def arm(self, ended_at: datetime) -> None:
        """Name the slot that follows the end of an execution, or end, with a fixed delay.

        Raises ``TriggerError`` when the schedule cannot name it.
        """
        self.next_fire_at = None if self.left == 0 else self.trigger.after(ended_at)
        if self.next_fire_at is None:
            self.set_aside(Why.ENDED.value)

    def set_aside(self, why: str) -> None:
        """Keep the schedule from being due until somebody changes it."""
        self.enabled, self.disabled_reason = False, storable(why)[:300]

    def pass_over(self, now: datetime, why: Why) -> tuple[Stretch, ...]:
        """Move the cursor past ``now`` and return what is skipped: one stretch, or nothing.

        A schedule that cannot name its slots stays where it is; firing sets it aside.
        """
        if self.next_fire_at is None or self.next_fire_at > now:
            return ()
        try:
            taken = pass_over(self.trigger, self._cursor(), now, why)
        except triggers.TriggerError:
            return ()
        self._move(taken)
        return taken.skipped

    def owe(self, missed: policies.Misfire, *, until: datetime) -> None:
        """Settle what is due by ``until`` as ``missed`` says, whatever the misfire policy is."""
        if self.next_fire_at and self.next_fire_at <= until:
            self.missed, self.missed_until = missed.value, until

    def _cursor(self) -> datetime:
        assert self.next_fire_at is not None  # noqa: S101  only due schedules are taken
        return self.next_fire_at.astimezone(UTC)

    def _takable(self, cursor: datetime) -> Trigger:
        """After a fixed delay there is one slot; the next one follows from its execution."""
        if self.is_fixed_delay:
            return triggers.build({"type": "once", "run_at": cursor})
        return self.trigger

    def _rule(self, misfire: policies.Misfire, **changes: Any) -> Rule:
        return Rule(misfire=misfire, cap=max(1, self.catch_up_max), left=self.left, **changes)

    def _move(self, taken: Taken) -> None:
        self.audited_until = self.audited_until or self.next_fire_at
        self.next_fire_at = taken.cursor
        self.fired += len(taken.run)
        if not (taken.cursor and self.missed_until and taken.cursor <= self.missed_until):
            self.missed, self.missed_until = "", None

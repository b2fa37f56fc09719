"""What to do, and when: jobs, the versions of their definition, and their schedules."""

from __future__ import annotations

from datetime import UTC, timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.models import Team, User
from jobs import kinds, policies, specs, triggers
from jobs.triggers.preview import preview
from lib.ids import new_id

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from enum import Enum

    from jobs.triggers.base import Trigger
    from jobs.triggers.preview import Preview


def choices(options: Iterable[Enum]) -> list[tuple[Any, str]]:
    """Turn an enum of ``policies`` into what a model field wants."""
    return [(option.value, option.name.lower()) for option in options]


class JobQuerySet(models.QuerySet["Job"]):
    def of_team(self, team: Team) -> JobQuerySet:
        return self.filter(team=team)

    def kept(self) -> JobQuerySet:
        """Jobs that are not archived."""
        return self.filter(archived_at__isnull=True)

    def described(self) -> JobQuerySet:
        """Jobs with all that an answer about them needs, in one query."""
        return self.select_related("current__limit", "schedule", "team")


class Job(models.Model):
    """A definition: what to do and how hard to try. It has no history; executions have."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="jobs", db_index=False)
    name = models.CharField(max_length=200)
    slug = models.SlugField(max_length=80, db_index=False)
    description = models.TextField(blank=True, max_length=5000)
    kind = models.CharField(max_length=32, choices=kinds.choices)
    tags = ArrayField(models.CharField(max_length=64), default=list, blank=True)
    current = models.ForeignKey(
        "JobVersion", on_delete=models.PROTECT, null=True, editable=False, related_name="+"
    )
    paused_at = models.DateTimeField(null=True, blank=True)
    paused_reason = models.CharField(max_length=200, blank=True)
    paused_by = models.CharField(max_length=254, blank=True, db_default="")
    paused_until = models.DateTimeField(null=True, blank=True)
    archived_at = models.DateTimeField(null=True, blank=True)
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    objects: ClassVar[models.Manager[Job]] = JobQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["team", "slug"],
                condition=Q(archived_at__isnull=True),
                name="one_kept_job_per_team_and_slug",
            ),
        ]
        indexes = [
            models.Index(fields=["team", "-id"], name="job_team_idx"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def status(self) -> str:
        if self.archived_at:
            return "archived"
        return "paused" if self.paused_at else "active"


class LimitQuerySet(models.QuerySet["Limit"]):
    def of_team(self, team: Team) -> LimitQuerySet:
        return self.filter(team=team)

    def kept(self) -> LimitQuerySet:
        """Limits that jobs may name; the others are history that versions still point at."""
        return self.filter(archived_at__isnull=True)


class Limit(models.Model):
    """A named limit that jobs of a team share: so many at once, so many per time, or both.

    With ``by``, the name of a field of the payload, each value of that field has the limit to
    itself; executions whose payload lacks it share one.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="limits", db_index=False)
    name = models.SlugField(max_length=64, db_index=False)
    by = models.CharField(max_length=64, blank=True)
    concurrency = models.PositiveIntegerField(null=True, blank=True)
    rate = models.PositiveIntegerField(null=True, blank=True)
    per_seconds = models.FloatField(null=True, blank=True)
    archived_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects: ClassVar[LimitQuerySet] = LimitQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["team", "name"],
                condition=Q(archived_at__isnull=True),
                name="one_kept_limit_per_team_and_name",
            ),
            models.CheckConstraint(
                condition=Q(concurrency__isnull=False) | Q(rate__isnull=False),
                name="limit_limits_something",
            ),
            models.CheckConstraint(
                condition=Q(concurrency__isnull=True) | Q(concurrency__gte=1),
                name="limit_lets_one_run",
            ),
            models.CheckConstraint(
                condition=Q(rate__isnull=True, per_seconds__isnull=True)
                | Q(rate__gte=1, per_seconds__gt=0),
                name="rate_names_its_time",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class JobVersion(models.Model):
    """What a job said at some time. Never changed: an edit adds one, executions keep theirs."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="versions", db_index=False)
    number = models.PositiveIntegerField()
    kind = models.CharField(max_length=32)
    payload = models.JSONField(default=dict)
    schedule = models.JSONField(default=dict)
    max_attempts = models.PositiveIntegerField(default=3)
    retry_strategy = models.CharField(
        max_length=16,
        choices=choices(policies.RetryStrategy),
        default=policies.RetryStrategy.EXPONENTIAL,
    )
    retry_base_seconds = models.FloatField(default=60)
    retry_max_seconds = models.FloatField(default=3600)
    retry_delays = ArrayField(models.FloatField(), default=list, db_default=[])
    retry_jitter = models.CharField(
        max_length=8,
        choices=choices(policies.Jitter),
        default=policies.Jitter.FULL,
        db_default=policies.Jitter.FULL,
    )
    retry_on = ArrayField(models.CharField(max_length=64), default=list, db_default=[])
    give_up_on = ArrayField(models.CharField(max_length=64), default=list, db_default=[])
    timeout_seconds = models.FloatField(default=300)
    queue = models.CharField(max_length=64, default="default")
    priority = models.PositiveSmallIntegerField(
        choices=choices(policies.Priority), default=policies.Priority.NORMAL
    )
    on_lost = models.CharField(
        max_length=8, choices=choices(policies.OnLost), default=policies.OnLost.RETRY
    )
    concurrency = models.PositiveIntegerField(null=True)
    limit = models.ForeignKey(
        Limit, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    start_deadline_seconds = models.FloatField(null=True)
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["job", "-number"]
        constraints = [
            models.UniqueConstraint(
                fields=["job", "number"], name="one_version_per_job_and_number"
            ),
            models.CheckConstraint(condition=Q(max_attempts__gte=1), name="at_least_one_attempt"),
            models.CheckConstraint(condition=Q(timeout_seconds__gt=0), name="timeout_is_positive"),
        ]

    def __str__(self) -> str:
        return f"version {self.number}"

    @property
    def timeout(self) -> timedelta:
        return timedelta(seconds=self.timeout_seconds)

    @property
    def retry_policy(self) -> policies.RetryPolicy:
        return policies.RetryPolicy(
            max_attempts=self.max_attempts,
            strategy=policies.RetryStrategy(self.retry_strategy),
            base=timedelta(seconds=self.retry_base_seconds),
            cap=timedelta(seconds=self.retry_max_seconds),
            delays=tuple(timedelta(seconds=delay) for delay in self.retry_delays)
            or policies.LADDER,
            jitter=policies.Jitter(self.retry_jitter),
            retry_on=frozenset(self.retry_on),
            give_up_on=frozenset(self.give_up_on),
        )


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

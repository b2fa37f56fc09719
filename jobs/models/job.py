"""What to do: jobs, the versions of their definition, and the limits that they share."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.models import Team, User
from jobs import kinds, policies
from lib.ids import new_id

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from enum import Enum


def choices(options: Iterable[Enum]) -> list[tuple[Any, str]]:
    """Turn an enum of ``policies`` into what a model field wants."""
    return [(option.value, option.name.lower()) for option in options]


class JobQuerySet(models.QuerySet["Job"]):
    def of_team(self, team: Team) -> JobQuerySet:
        return self.filter(team=team)

    def kept(self) -> JobQuerySet:
        """Jobs that are not archived."""
        return self.filter(archived_at__isnull=True)

    def resting_until(self, now: datetime) -> JobQuerySet:
        """Paused jobs whose pause is over by ``now``, the longest over first."""
        over = self.filter(paused_at__isnull=False, paused_until__lte=now)
        return over.kept().order_by("paused_until")

    def lock_free(self, limit: int) -> JobQuerySet:
        """Lock up to ``limit`` rows that no other process holds. Needs a transaction."""
        return self.select_for_update(skip_locked=True, no_key=True)[:limit]

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
            models.Index(
                fields=["paused_until"],
                name="job_paused_until_idx",
                condition=Q(paused_until__isnull=False),
            ),
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

"""The execution: one intended occurrence of a job."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.models import Team
from executions.models.execution_queries import ExecutionQuerySet
from executions.models.fleet import fleet_of
from executions.models.lines import AGEING
from executions.models.statuses import FINISHED, IN_FLIGHT, UNFINISHED, Origin, Status, task_id
from jobs import policies
from jobs.models import Job, JobVersion, Limit, Schedule, choices
from lib.ids import new_id

if TYPE_CHECKING:
    from datetime import datetime

    from executions.models.history import ExecutionEvent
    from jobs.kinds.base import Fleet

LONGEST_LIMIT_KEY = 200
ENDED_BADLY = (Status.CANCELLED, Status.FAILED, Status.SKIPPED)  # seldom, and looked for


class Seen(NamedTuple):
    """What was seen, a moment ago, of those on whom an execution that is new depends."""

    crowded: bool
    """More are in flight or wait in its queue than its fleet has slots."""
    worker: bool
    """A worker of its fleet lives."""
    beat: bool
    """A beat lives."""


class Execution(models.Model):
    """One intended occurrence of a job. ``transitions`` alone writes its status."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    # Its job holds the team and the versions: one foreign key checks all three.
    team = models.ForeignKey(
        Team, on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )
    job = models.ForeignKey(
        Job, on_delete=models.PROTECT, related_name="executions", db_index=False
    )
    version = models.ForeignKey(
        JobVersion, on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )
    schedule = models.ForeignKey(
        Schedule, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    scheduled_for = models.DateTimeField(null=True)
    origin = models.CharField(max_length=16, choices=Origin.choices, default=Origin.SCHEDULE)
    payload = models.JSONField(null=True)
    kind = models.CharField(max_length=32)
    queue = models.CharField(max_length=64, default="default")
    priority = models.PositiveSmallIntegerField(choices=choices(policies.Priority))
    limit = models.ForeignKey(
        Limit, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    limit_key = models.CharField(max_length=200, blank=True, db_default="")
    start_by = models.DateTimeField(null=True)
    redrive = models.ForeignKey(
        "executions.Redrive", on_delete=models.SET_NULL, null=True, related_name="+", db_index=False
    )

    status = models.CharField(max_length=16, choices=Status.choices, default=Status.SCHEDULED)
    reason = models.CharField(max_length=64, blank=True)
    message = models.TextField(blank=True)
    fingerprint = models.CharField(max_length=32, blank=True, db_default="")
    blocked_on = models.CharField(max_length=240, blank=True, db_default="")
    due_at = models.DateTimeField()
    attempt = models.PositiveIntegerField(default=0)
    failures = models.PositiveIntegerField(default=0)
    losses = models.PositiveIntegerField(default=0)
    worker = models.CharField(max_length=200, blank=True)
    lease_expires_at = models.DateTimeField(null=True)
    publish_at = models.DateTimeField(null=True)
    publishes = models.PositiveIntegerField(default=0)
    lane = models.PositiveSmallIntegerField(default=0, db_default=0)
    result = models.JSONField(null=True)

    created_at = models.DateTimeField(default=timezone.now, editable=False)
    queued_at = models.DateTimeField(null=True)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    resolved_at = models.DateTimeField(null=True)

    version_row: str  # only of a claimed row
    seen: Seen | None = None  # only of a new one
    is_free = False  # known to be kept by nothing but room; then its rules need not be loaded
    request: ExecutionEvent  # only of a new one

    objects: ClassVar[ExecutionQuerySet] = ExecutionQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["schedule", "scheduled_for"],
                name="one_execution_per_slot",
                condition=Q(schedule__isnull=False),
            ),
            models.CheckConstraint(
                condition=Q(status__in=sorted(FINISHED), finished_at__isnull=False)
                | ~Q(status__in=sorted(FINISHED)) & Q(finished_at__isnull=True),
                name="finished_at_only_when_finished",
            ),
            models.CheckConstraint(
                condition=Q(status="running", lease_expires_at__isnull=False)
                | ~Q(status="running") & Q(lease_expires_at__isnull=True),
                name="lease_only_while_running",
            ),
            models.CheckConstraint(
                condition=Q(schedule__isnull=True) | Q(scheduled_for__isnull=False),
                name="scheduled_execution_names_its_slot",
            ),
            models.CheckConstraint(
                condition=Q(status__in=sorted(Status)), name="execution_status_is_known"
            ),
        ]
        indexes = [
            models.Index(
                fields=["queue", "due_at"],
                name="execution_next_idx",
                condition=Q(status="scheduled", blocked_on=""),
            ),
            models.Index(
                fields=["queue", "kind", "team", "priority", "due_at"],
                name="execution_line_idx",
                condition=Q(status="scheduled", blocked_on=""),
            ),
            models.Index(
                fields=["blocked_on", "priority", "due_at"],
                name="execution_blocked_idx",
                condition=Q(status="scheduled") & ~Q(blocked_on=""),
            ),
            # Also for those who look for lost messages and leases: what is in flight is bounded.
            models.Index(
                fields=["queue", "team", "kind"],
                name="execution_busy_idx",
                condition=Q(status__in=sorted(IN_FLIGHT)),
            ),
            models.Index(
                fields=["job"],
                name="execution_busy_job_idx",
                condition=Q(status__in=sorted(IN_FLIGHT)),
            ),
            models.Index(
                fields=["limit_key"],
                name="execution_busy_limit_idx",
                condition=Q(status__in=sorted(IN_FLIGHT)) & ~Q(limit_key=""),
            ),
            models.Index(
                fields=["limit_key", "started_at"],
                name="execution_rate_idx",
                condition=~Q(limit_key=""),
            ),
            models.Index(
                fields=["start_by"],
                name="execution_start_by_idx",
                condition=Q(status__in=["scheduled", "queued"], attempt=0, start_by__isnull=False),
            ),
            models.Index(
                fields=["due_at"], name="execution_report_idx", condition=Q(status="waiting")
            ),
            models.Index(
                fields=["schedule", "scheduled_for"],
                name="execution_unfinished_idx",
                condition=Q(status__in=sorted(UNFINISHED), schedule__isnull=False),
            ),
            models.Index(
                fields=["team", "-id"],
                name="execution_dead_idx",
                condition=Q(status="failed", resolved_at__isnull=True),
            ),
            models.Index(
                fields=["team", "fingerprint", "-id"],
                name="execution_cause_idx",
                condition=Q(status="failed", resolved_at__isnull=True),
            ),
            models.Index(
                fields=["redrive"],
                name="execution_redrive_idx",
                condition=Q(redrive__isnull=False),
            ),
            models.Index(
                fields=["status", "-id"],
                name="execution_bad_idx",
                condition=Q(status__in=sorted(ENDED_BADLY)),
            ),
            models.Index(
                fields=["team", "status", "-id"],
                name="execution_team_bad_idx",
                condition=Q(status__in=sorted(ENDED_BADLY)),
            ),
            models.Index(
                fields=["job", "status", "-id"],
                name="execution_job_bad_idx",
                condition=Q(status__in=sorted(ENDED_BADLY)),
            ),
            models.Index(fields=["team", "-id"], name="execution_team_idx"),
            models.Index(fields=["job", "-id"], name="execution_job_idx"),
        ]

    def __str__(self) -> str:
        return f"execution {self.id}"

    @classmethod
    def of(
        cls,
        job: Job,
        *,
        now: datetime,
        due_at: datetime,
        payload: dict[str, Any] | None = None,
        **fields: Any,
    ) -> Execution:
        """Make (not save) an execution of ``job`` as it is defined ``now``.

        ``payload`` replaces the job's. Costs a query if the version's limit is not loaded.
        """
        version = job.current
        assert version is not None  # noqa: S101  definitions never leave a job without a version
        limit = version.limit if version.limit_id else None
        return cls(
            team_id=job.team_id,
            job=job,
            version=version,
            kind=version.kind,
            queue=version.queue,
            priority=version.priority,
            payload=payload,
            limit=limit,
            limit_key=limit_key_of(limit, version.payload if payload is None else payload),
            due_at=due_at,
            start_by=start_by_of(version, due_at),
            created_at=now,
            **{"blocked_on": "", "fingerprint": "", "lane": 0} | fields,
        )

    @property
    def fleet(self) -> Fleet:
        """The workers that can run it."""
        return fleet_of(self.kind)

    def lane_at(self, now: datetime) -> int:
        """Return the class that it counts as by ``now``: one better for each ``AGEING`` it waits.

        A slot that was noticed late waits since it was noticed. What was interrupted, by the death
        or the end of its worker, goes first: it does not wait a second time behind the messages of
        all that were due later.
        """
        if self.attempt > self.failures:
            return 0
        waited = max(now - max(self.due_at, self.created_at), timedelta(0))
        return max(0, self.priority - waited // AGEING)

    @property
    def task_id(self) -> str:
        """The Celery task id of the newest attempt: what Flower and the results list show."""
        return task_id(self.id, self.attempt)


def start_by_of(version: JobVersion, due_at: datetime) -> datetime | None:
    """Return when what is ``due_at`` must have started, if that matters."""
    seconds = version.start_deadline_seconds
    return None if seconds is None else due_at + timedelta(seconds=seconds)


def limit_key_of(limit: Limit | None, payload: dict[str, Any]) -> str:
    """Name what shares ``limit``: all its executions, or those with one value in a field.

    What is neither text nor a number nor true or false counts as absent. ``ledger`` says the same
    in SQL.
    """
    if limit is None:
        return ""
    match payload.get(limit.by) if limit.by else None:
        case str(word):
            pass
        case bool(value):
            word = "true" if value else "false"
        case int() | float() as number:
            word = f"{Decimal(repr(number)):f}"
        case _:
            return str(limit.pk)
    return f"{limit.pk}:{word}"[:LONGEST_LIMIT_KEY]

"""What one asks about executions: each question is a verb of their query set."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Exists, OuterRef

from executions.models import lines
from executions.models.fleet import Queue
from executions.models.statuses import IN_FLIGHT, UNFINISHED, Status

if TYPE_CHECKING:
    from datetime import datetime

    from accounts.models import Team
    from executions.models.execution import Execution
    from jobs.models import Schedule


RULES = (
    *("team", "job", "version", "schedule", "scheduled_for", "kind", "queue", "priority"),
    *("limit", "limit_key", "start_by", "status", "due_at", "created_at", "lane", "publish_at"),
    *("publishes", "attempt", "failures", "losses", "job__archived_at", "job__team"),
    *("job__current__concurrency", "schedule__overlap", "version__on_lost"),
    *("limit__concurrency", "limit__rate", "limit__per_seconds"),
)
"""What is decided by, of an execution and of what it belongs to."""


class ExecutionQuerySet(models.QuerySet["Execution"]):
    def of_team(self, team: Team) -> ExecutionQuerySet:
        return self.filter(team=team)

    def in_flight(self) -> ExecutionQuerySet:
        """Executions that a worker has, or will take as soon as one is free."""
        return self.filter(status__in=IN_FLIGHT)

    def with_rules(self) -> ExecutionQuerySet:
        """Executions with what decides whether and how they may start, in one lean query."""
        related = ["job__current", "schedule", "limit", "version"]
        return self.select_related(*related).only(*RULES)

    def overdue_message(self, now: datetime) -> ExecutionQuerySet:
        """Queued executions whose message should have been claimed by now: it may be lost.

        Those of paused queues are not: nobody may claim them.
        """
        paused = Queue.objects.paused().filter(pk=OuterRef("queue"))
        queued = self.filter(status=Status.QUEUED, publish_at__lte=now)
        return queued.exclude(Exists(paused)).order_by("publish_at")

    def lost(self, now: datetime) -> ExecutionQuerySet:
        """Running executions whose worker no longer renews its lease."""
        return self.filter(status=Status.RUNNING, lease_expires_at__lt=now).order_by(
            "lease_expires_at"
        )

    def past_start(self, now: datetime) -> ExecutionQuerySet:
        """Executions that wait for their first start and may not start any more."""
        waiting = self.filter(status__in=[Status.SCHEDULED, Status.QUEUED], attempt=0)
        return waiting.filter(start_by__lte=now).order_by("start_by")

    def unreported(self, now: datetime) -> ExecutionQuerySet:
        """Executions that somebody outside should have settled by now."""
        return self.filter(status=Status.WAITING, due_at__lte=now).order_by("due_at")

    def unfinished(self, schedule: Schedule) -> ExecutionQuerySet:
        """Executions of ``schedule`` that have not ended."""
        return self.filter(schedule=schedule, status__in=UNFINISHED)

    def before(self, schedule: Schedule, slot: datetime) -> Execution | None:
        """The execution of the newest slot of ``schedule`` before ``slot``."""
        earlier = self.filter(schedule=schedule, scheduled_for__lt=slot)
        return earlier.order_by("-scheduled_for").first()

    def dead(self) -> ExecutionQuerySet:
        """Dead letters: what failed for good and nobody has resolved."""
        return self.filter(status=Status.FAILED, resolved_at__isnull=True)

    def lock_free(self, limit: int) -> ExecutionQuerySet:
        """Lock up to ``limit`` rows that no other process holds. Needs a transaction."""
        return self.select_for_update(skip_locked=True, of=("self",))[:limit]

    def next_instant(self, now: datetime) -> datetime | None:
        """When the next execution after ``now`` is due; ``None`` when none is.

        What is due already waits for something else: a paused queue, another beat.
        """
        return lines.next_instant(now)

    def described(self) -> ExecutionQuerySet:
        """Executions with all that an answer about them needs, in one query."""
        return self.select_related("job", "version")

"""Lines, limits and the broker's lanes: indexes for who is next. If a build is interrupted, drop
the index that is invalid and migrate again.

Builds wait for transactions that are older than they are, and keep nobody waiting meanwhile."""

from __future__ import annotations

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models
from django.db.models import Q

WAITS = Q(status="scheduled", blocked_on="")
IN_FLIGHT = Q(status__in=["queued", "running"])
UNFINISHED = Q(status__in=["queued", "running", "scheduled", "waiting"])
DEAD = Q(resolved_at__isnull=True, status="failed")
LIMITED = ~Q(limit_key="")


def add(fields: list[str], name: str, condition: Q) -> AddIndexConcurrently:
    return AddIndexConcurrently(
        "execution", models.Index(fields=fields, name=name, condition=condition)
    )


class Migration(migrations.Migration):
    atomic = False  # CREATE INDEX CONCURRENTLY refuses to run inside a transaction
    dependencies = [("executions", "0004_limits_outbox_redrives")]
    operations = [
        migrations.RunSQL("SET lock_timeout TO 0", migrations.RunSQL.noop),
        add(["team", "fingerprint", "-id"], "execution_cause_idx", DEAD),
        add(["redrive"], "execution_redrive_idx", Q(redrive__isnull=False)),
        add(
            ["queue", "kind", "team", "priority", "due_at"],
            "execution_line_idx",
            WAITS,
        ),
        add(
            ["blocked_on", "priority", "due_at"],
            "execution_blocked_idx",
            Q(status="scheduled") & ~Q(blocked_on=""),
        ),
        add(["queue", "team", "kind"], "execution_busy_idx", IN_FLIGHT),
        add(["job"], "execution_busy_job_idx", IN_FLIGHT),
        add(["limit_key"], "execution_busy_limit_idx", IN_FLIGHT & LIMITED),
        add(["limit_key", "started_at"], "execution_rate_idx", LIMITED),
        RemoveIndexConcurrently("execution", "execution_due_idx"),
        RemoveIndexConcurrently("execution", "execution_next_idx"),
        add(["queue", "due_at"], "execution_next_idx", WAITS),
        RemoveIndexConcurrently("execution", "execution_unfinished_idx"),
        add(["schedule", "scheduled_for"], "execution_unfinished_idx", UNFINISHED),
        migrations.RunSQL("RESET lock_timeout", migrations.RunSQL.noop),
    ]

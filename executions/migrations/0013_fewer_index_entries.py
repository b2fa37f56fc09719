"""Fewer and smaller indexes: each is paid for at every step of an execution. If a build is
interrupted, drop the index that is invalid and migrate again.

The unique slot and what is unfinished of a schedule hold only executions that have a schedule.
Lists of what ended badly get indexes that nothing else is in. Of the six indexes of
django-celery-results two are read; that app's own migrations may come and drop them again."""

from __future__ import annotations

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models
from django.db.models import Q

BAD = Q(status__in=["cancelled", "failed", "skipped"])
SCHEDULED = Q(schedule__isnull=False)
UNFINISHED = ["queued", "running", "scheduled", "waiting"]

# Forwards and backwards there is always one that holds.
TABLE, COLUMNS = "executions_execution", "(schedule_id, scheduled_for)"
MAKE = f"CREATE UNIQUE INDEX CONCURRENTLY one_execution_per_slot_new ON {TABLE} {COLUMNS}"
MAKE_CONSTRAINT = (
    f"ALTER TABLE {TABLE} ADD CONSTRAINT one_execution_per_slot"
    " UNIQUE USING INDEX one_execution_per_slot_new"
)
DROP_CONSTRAINT = f"ALTER TABLE {TABLE} DROP CONSTRAINT one_execution_per_slot"
SLOTS = [
    migrations.RunSQL(
        f"{MAKE} WHERE schedule_id IS NOT NULL",
        "DROP INDEX CONCURRENTLY one_execution_per_slot_old",
    ),
    migrations.RunSQL(DROP_CONSTRAINT, [MAKE, MAKE_CONSTRAINT]),
    migrations.RunSQL(
        "ALTER INDEX one_execution_per_slot_new RENAME TO one_execution_per_slot",
        "ALTER INDEX one_execution_per_slot RENAME TO one_execution_per_slot_old",
    ),
]

UNREAD = {
    "django_cele_task_na_08aec9_idx": "task_name",
    "django_cele_status_9b6201_idx": "status",
    "django_cele_worker_d54dd8_idx": "worker",
    "django_cele_date_cr_f04a50_idx": "date_created",
    "django_cele_periodi_1993cf_idx": "periodic_task_name",
}


def unread(name: str, column: str) -> migrations.RunSQL:
    table = "django_celery_results_taskresult"
    return migrations.RunSQL(
        f"DROP INDEX CONCURRENTLY IF EXISTS {name}",
        f"CREATE INDEX CONCURRENTLY IF NOT EXISTS {name} ON {table} ({column})",
    )


class Migration(migrations.Migration):
    atomic = False  # CREATE INDEX CONCURRENTLY refuses to run inside a transaction
    dependencies = [
        ("executions", "0012_rollups"),
        ("django_celery_results", "0014_alter_taskresult_status"),
    ]
    operations = [
        migrations.RunSQL("SET lock_timeout TO 0", "SET lock_timeout TO 0"),
        AddIndexConcurrently(
            "execution",
            models.Index(fields=["status", "-id"], name="execution_bad_idx", condition=BAD),
        ),
        AddIndexConcurrently(
            "execution",
            models.Index(
                fields=["team", "status", "-id"], name="execution_team_bad_idx", condition=BAD
            ),
        ),
        AddIndexConcurrently(
            "execution",
            models.Index(
                fields=["job", "status", "-id"], name="execution_job_bad_idx", condition=BAD
            ),
        ),
        RemoveIndexConcurrently("execution", "execution_unfinished_idx"),
        AddIndexConcurrently(
            "execution",
            models.Index(
                fields=["schedule", "scheduled_for"],
                name="execution_unfinished_idx",
                condition=Q(schedule__isnull=False, status__in=UNFINISHED),
            ),
        ),
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RemoveConstraint("execution", "one_execution_per_slot"),
                migrations.AddConstraint(
                    "execution",
                    models.UniqueConstraint(
                        fields=["schedule", "scheduled_for"],
                        name="one_execution_per_slot",
                        condition=SCHEDULED,
                    ),
                ),
            ],
            database_operations=SLOTS,
        ),
        *(unread(name, column) for name, column in UNREAD.items()),
        migrations.RunSQL("RESET lock_timeout", "RESET lock_timeout"),
    ]

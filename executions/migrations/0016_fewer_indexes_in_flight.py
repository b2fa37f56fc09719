"""Indexes that cost an entry per execution, or per renewal of a lease, for a look every few seconds.

What is queued or running is bounded by the windows of the queues; execution_busy_idx holds just
that. Of the results of Celery nobody asks for ids that begin like something."""

from __future__ import annotations

from django.contrib.postgres.operations import RemoveIndexConcurrently
from django.db import migrations

LIKE = "django_celery_results_taskresult_task_id_de0d95bf_like"
MAKE_LIKE = (
    f"CREATE INDEX CONCURRENTLY IF NOT EXISTS {LIKE}"
    " ON django_celery_results_taskresult (task_id varchar_pattern_ops)"
)


class Migration(migrations.Migration):
    atomic = False  # DROP INDEX CONCURRENTLY refuses to run inside a transaction
    dependencies = [("executions", "0015_room_and_vacuum")]
    operations = [
        migrations.RunSQL("SET lock_timeout TO 0", "SET lock_timeout TO 0"),
        RemoveIndexConcurrently("execution", "execution_publish_idx"),
        RemoveIndexConcurrently("execution", "execution_lease_idx"),
        migrations.RunSQL(f"DROP INDEX CONCURRENTLY IF EXISTS {LIKE}", MAKE_LIKE),
        migrations.RunSQL("RESET lock_timeout", "RESET lock_timeout"),
    ]

"""Indexes for ``Execution.objects.past_start`` and ``unreported``; built as those of 0005 are."""

from __future__ import annotations

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False  # CREATE INDEX CONCURRENTLY refuses to run inside a transaction
    dependencies = [("executions", "0008_periodic_states")]

    operations = [
        migrations.RunSQL("SET lock_timeout TO 0", migrations.RunSQL.noop),
        AddIndexConcurrently(
            model_name="execution",
            index=models.Index(
                condition=models.Q(
                    ("attempt", 0),
                    ("start_by__isnull", False),
                    ("status__in", ["scheduled", "queued"]),
                ),
                fields=["start_by"],
                name="execution_start_by_idx",
            ),
        ),
        AddIndexConcurrently(
            model_name="execution",
            index=models.Index(
                condition=models.Q(("status", "waiting")),
                fields=["due_at"],
                name="execution_report_idx",
            ),
        ),
        migrations.RunSQL("RESET lock_timeout", migrations.RunSQL.noop),
    ]

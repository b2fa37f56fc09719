"""Indexes for ``Execution.objects.past_start`` and ``unreported``."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("executions", "0008_periodic_states")]

    operations = [
        migrations.AddIndex(
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
        migrations.AddIndex(
            model_name="execution",
            index=models.Index(
                condition=models.Q(("status", "waiting")),
                fields=["due_at"],
                name="execution_report_idx",
            ),
        ),
    ]

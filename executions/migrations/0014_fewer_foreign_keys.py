"""Foreign keys that cost more than the rows they check: 4 to 8 µs each, and a lock on the other row.

Only the pruning pass deletes executions, with all that belongs to them; the job of an execution,
whose foreign key stays, holds its team and its versions. If this is interrupted, migrate again."""

from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models


def of_execution(model: str, related_name: str, **options: bool) -> migrations.AlterField:
    field = models.ForeignKey(
        "executions.execution",
        db_constraint=False,
        on_delete=django.db.models.deletion.CASCADE,
        related_name=related_name,
        **options,
    )
    return migrations.AlterField(model, "execution", field)


def of_other(name: str, to: str) -> migrations.AlterField:
    field = models.ForeignKey(
        to,
        db_constraint=False,
        db_index=False,
        on_delete=django.db.models.deletion.PROTECT,
        related_name="+",
    )
    return migrations.AlterField("execution", name, field)


class Migration(migrations.Migration):
    atomic = False  # one lock at a time: workers take those of two tables in another order
    dependencies = [("executions", "0013_fewer_index_entries")]
    operations = [
        of_execution("attempt", "attempts", db_index=False),
        of_execution("executionevent", "events"),
        of_execution("logchunk", "log_chunks", db_index=False),
        of_other("team", "accounts.team"),
        of_other("version", "jobs.jobversion"),
    ]

"""Find events that were set aside. If the build is interrupted, drop the index and migrate again."""

from __future__ import annotations

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    atomic = False  # CREATE INDEX CONCURRENTLY refuses to run inside a transaction
    dependencies = [("executions", "0010_audit")]
    operations = [
        migrations.RunSQL("SET lock_timeout TO 0", migrations.RunSQL.noop),
        AddIndexConcurrently(
            "outboxevent",
            models.Index(fields=["at"], name="outbox_fault_idx", condition=~Q(fault="")),
        ),
        migrations.RunSQL("RESET lock_timeout", migrations.RunSQL.noop),
    ]

"""Statistics by minute, hour and day."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import migrations, models

COUNTS = ("started", "succeeded", "failed", "skipped", "cancelled", "retried", "lost")
GRAINS = [("minute", "Minute"), ("hour", "Hour"), ("day", "Day")]

# Counters of the newest minute, hour and day change all the time; no index holds them, so with
# room in the page a change touches nothing else.
ROOM = "ALTER TABLE executions_rollup SET (fillfactor = 50)"


class Migration(migrations.Migration):
    dependencies = [("executions", "0011_outbox_faults")]
    operations = [
        migrations.CreateModel(
            name="Rollup",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "subject",
                        "grain",
                        "at",
                        "queue",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("subject", models.UUIDField()),
                ("grain", models.CharField(choices=GRAINS, max_length=8)),
                ("at", models.DateTimeField()),
                ("queue", models.CharField(blank=True, max_length=64)),
                *((name, models.BigIntegerField()) for name in COUNTS),
                ("late_seconds", models.FloatField()),
                ("took_seconds", models.FloatField()),
                ("late", ArrayField(base_field=models.BigIntegerField(), size=None)),
                ("took", ArrayField(base_field=models.BigIntegerField(), size=None)),
            ],
            options={
                "indexes": [models.Index(fields=["grain", "at"], name="rollup_grain_idx")],
            },
        ),
        migrations.RunSQL(ROOM, migrations.RunSQL.noop),
    ]

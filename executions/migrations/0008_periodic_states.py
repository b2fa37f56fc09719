"""Where the rows of django-celery-beat stand: their next slot, and why one was switched off."""

from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("django_celery_beat", "0019_alter_periodictasks_options"),
        ("executions", "0007_one_redrive_and_outbox"),
    ]

    operations = [
        migrations.CreateModel(
            name="PeriodicState",
            fields=[
                (
                    "row",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="chronos",
                        serialize=False,
                        to="django_celery_beat.periodictask",
                    ),
                ),
                ("fingerprint", models.CharField(blank=True, max_length=32)),
                ("next_slot", models.DateTimeField(null=True)),
                ("reason", models.CharField(blank=True, max_length=300)),
            ],
        ),
    ]

"""The answers that are kept for whoever repeats a POST with its ``Idempotency-Key``."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="KeptAnswer",
            fields=[
                (
                    "id",
                    models.CharField(
                        editable=False, max_length=64, primary_key=True, serialize=False
                    ),
                ),
                ("request", models.CharField(max_length=64)),
                ("answer", models.BinaryField()),
                ("created_at", models.DateTimeField(db_index=True)),
            ],
        ),
    ]

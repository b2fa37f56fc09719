"""What the audit found, and how far it has come."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("executions", "0009_deadlines")]

    operations = [
        migrations.CreateModel(
            name="AuditFinding",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("at", models.DateTimeField()),
                (
                    "what",
                    models.CharField(
                        choices=[
                            ("slot_lost", "Slot Lost"),
                            ("slot_doubled", "Slot Doubled"),
                            ("execution_odd", "Execution Odd"),
                        ],
                        max_length=16,
                    ),
                ),
                ("schedule", models.UUIDField(null=True)),
                ("since", models.DateTimeField(null=True)),
                ("until", models.DateTimeField(null=True)),
                ("expected", models.BigIntegerField(null=True)),
                ("found", models.BigIntegerField(null=True)),
                ("execution", models.UUIDField(null=True)),
                ("message", models.CharField(max_length=300)),
            ],
            options={"ordering": ["id"]},
        ),
        migrations.CreateModel(
            name="AuditMark",
            fields=[
                (
                    "name",
                    models.CharField(max_length=32, primary_key=True, serialize=False),
                ),
                ("up_to", models.UUIDField()),
                ("at", models.DateTimeField()),
            ],
        ),
    ]

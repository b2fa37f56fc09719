"""Limits of queues, what executions wait for, causes of failures, redrives and the outbox."""

from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models

import lib.ids


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_initial"),
        ("executions", "0003_dead_letter"),
        ("jobs", "0002_policies_and_limits"),
    ]

    operations = [
        migrations.CreateModel(
            name="OutboxEvent",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("at", models.DateTimeField()),
                ("topic", models.CharField(max_length=64)),
                ("subject", models.UUIDField()),
                ("body", models.JSONField(default=dict)),
            ],
            options={
                "ordering": ["id"],
            },
        ),
        migrations.CreateModel(
            name="Redrive",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=lib.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("fingerprint", models.CharField(max_length=32)),
                (
                    "mode",
                    models.CharField(choices=[("all", "All"), ("canary", "Canary")], max_length=8),
                ),
                ("rate", models.FloatField(default=10)),
                (
                    "state",
                    models.CharField(
                        choices=[("running", "Running"), ("done", "Done"), ("stopped", "Stopped")],
                        default="running",
                        max_length=8,
                    ),
                ),
                ("reason", models.CharField(blank=True, max_length=200)),
                ("stage", models.PositiveSmallIntegerField(default=0)),
                ("up_to", models.UUIDField()),
                ("total", models.PositiveIntegerField()),
                ("started", models.PositiveIntegerField(default=0)),
                ("next_at", models.DateTimeField()),
                ("created_by", models.CharField(max_length=254)),
                ("created_at", models.DateTimeField()),
                ("finished_at", models.DateTimeField(null=True)),
            ],
            options={
                "ordering": ["-id"],
            },
        ),
        migrations.AddField(
            model_name="attempt",
            name="error",
            field=models.CharField(blank=True, db_default="", max_length=200),
        ),
        migrations.AddField(
            model_name="attempt",
            name="pid",
            field=models.PositiveIntegerField(null=True),
        ),
        migrations.AddField(
            model_name="execution",
            name="blocked_on",
            field=models.CharField(blank=True, db_default="", max_length=240),
        ),
        migrations.AddField(
            model_name="execution",
            name="fingerprint",
            field=models.CharField(blank=True, db_default="", max_length=32),
        ),
        migrations.AddField(
            model_name="execution",
            name="lane",
            field=models.PositiveSmallIntegerField(default=0, db_default=0),
        ),
        migrations.AddField(
            model_name="execution",
            name="limit",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="jobs.limit",
            ),
        ),
        migrations.AddField(
            model_name="execution",
            name="limit_key",
            field=models.CharField(blank=True, db_default="", max_length=200),
        ),
        migrations.AddField(
            model_name="execution",
            name="start_by",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="queue",
            name="concurrency",
            field=models.PositiveIntegerField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="queue",
            name="paused_by",
            field=models.CharField(blank=True, db_default="", max_length=254),
        ),
        migrations.AddField(
            model_name="queue",
            name="paused_until",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="queue",
            name="window",
            field=models.PositiveIntegerField(blank=True, null=True),
        ),
        migrations.AddConstraint(
            model_name="queue",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("concurrency__isnull", True), ("concurrency__gte", 1), _connector="OR"
                ),
                name="queue_lets_one_run",
            ),
        ),
        migrations.AddConstraint(
            model_name="queue",
            constraint=models.CheckConstraint(
                condition=models.Q(("window__isnull", True), ("window__gte", 1), _connector="OR"),
                name="window_holds_one",
            ),
        ),
        migrations.AddField(
            model_name="outboxevent",
            name="team",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="accounts.team",
            ),
        ),
        migrations.AddField(
            model_name="redrive",
            name="team",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="accounts.team",
            ),
        ),
        migrations.AddField(
            model_name="execution",
            name="redrive",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="executions.redrive",
            ),
        ),
        migrations.AddIndex(
            model_name="redrive",
            index=models.Index(
                condition=models.Q(("finished_at__isnull", True)),
                fields=["next_at"],
                name="redrive_due_idx",
            ),
        ),
        migrations.AddIndex(
            model_name="redrive",
            index=models.Index(fields=["team", "-id"], name="redrive_team_idx"),
        ),
        migrations.AddConstraint(
            model_name="redrive",
            constraint=models.CheckConstraint(
                condition=models.Q(("rate__gt", 0)), name="redrive_has_a_rate"
            ),
        ),
    ]

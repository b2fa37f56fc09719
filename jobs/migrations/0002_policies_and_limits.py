"""Retry ladders, bounds, jitter and catch-up of schedules, limits, pauses that end by themselves."""

from __future__ import annotations

import django.contrib.postgres.fields
import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

import jobs.policies
import lib.ids


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_initial"),
        ("jobs", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="job",
            name="paused_by",
            field=models.CharField(blank=True, db_default="", max_length=254),
        ),
        migrations.AddField(
            model_name="job",
            name="paused_until",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="jobversion",
            name="concurrency",
            field=models.PositiveIntegerField(null=True),
        ),
        migrations.AddField(
            model_name="jobversion",
            name="give_up_on",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=64), db_default=[], default=list, size=None
            ),
        ),
        migrations.AddField(
            model_name="jobversion",
            name="retry_delays",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.FloatField(), db_default=[], default=list, size=None
            ),
        ),
        migrations.AddField(
            model_name="jobversion",
            name="retry_jitter",
            field=models.CharField(
                choices=[("full", "full"), ("none", "none")],
                db_default=jobs.policies.Jitter["FULL"],
                default=jobs.policies.Jitter["FULL"],
                max_length=8,
            ),
        ),
        migrations.AddField(
            model_name="jobversion",
            name="retry_on",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=64), db_default=[], default=list, size=None
            ),
        ),
        migrations.AddField(
            model_name="jobversion",
            name="start_deadline_seconds",
            field=models.FloatField(null=True),
        ),
        migrations.AddField(
            model_name="schedule",
            name="audited_until",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name="schedule",
            name="catch_up_max",
            field=models.PositiveIntegerField(db_default=10000, default=10000),
        ),
        migrations.AddField(
            model_name="schedule",
            name="catch_up_pace_seconds",
            field=models.FloatField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name="schedule",
            name="ends_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="schedule",
            name="fired",
            field=models.PositiveIntegerField(db_default=0, default=0, editable=False),
        ),
        migrations.AddField(
            model_name="schedule",
            name="jitter_seconds",
            field=models.FloatField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name="schedule",
            name="max_executions",
            field=models.PositiveIntegerField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="schedule",
            name="missed",
            field=models.CharField(
                blank=True,
                choices=[("skip", "skip"), ("latest", "latest"), ("all", "all")],
                db_default="",
                editable=False,
                max_length=16,
            ),
        ),
        migrations.AddField(
            model_name="schedule",
            name="mode",
            field=models.CharField(
                choices=[("fixed_rate", "fixed_rate"), ("fixed_delay", "fixed_delay")],
                db_default=jobs.policies.IntervalMode["FIXED_RATE"],
                default=jobs.policies.IntervalMode["FIXED_RATE"],
                max_length=16,
            ),
        ),
        migrations.AddField(
            model_name="schedule",
            name="starts_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AlterField(
            model_name="jobversion",
            name="retry_strategy",
            field=models.CharField(
                choices=[
                    ("none", "none"),
                    ("fixed", "fixed"),
                    ("linear", "linear"),
                    ("exponential", "exponential"),
                    ("ladder", "ladder"),
                ],
                default=jobs.policies.RetryStrategy["EXPONENTIAL"],
                max_length=16,
            ),
        ),
        migrations.AlterField(
            model_name="schedule",
            name="overlap",
            field=models.CharField(
                choices=[
                    ("skip", "skip"),
                    ("queue", "queue"),
                    ("queue_all", "queue_all"),
                    ("cancel_previous", "cancel_previous"),
                    ("allow", "allow"),
                ],
                default=jobs.policies.Overlap["SKIP"],
                max_length=16,
            ),
        ),
        migrations.CreateModel(
            name="Limit",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=lib.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("name", models.SlugField(db_index=False, max_length=64)),
                ("by", models.CharField(blank=True, max_length=64)),
                ("concurrency", models.PositiveIntegerField(blank=True, null=True)),
                ("rate", models.PositiveIntegerField(blank=True, null=True)),
                ("per_seconds", models.FloatField(blank=True, null=True)),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False),
                ),
                (
                    "team",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="limits",
                        to="accounts.team",
                    ),
                ),
            ],
            options={
                "ordering": ["name"],
            },
        ),
        migrations.AddField(
            model_name="jobversion",
            name="limit",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="jobs.limit",
            ),
        ),
        migrations.AddConstraint(
            model_name="limit",
            constraint=models.UniqueConstraint(
                fields=("team", "name"), name="one_limit_per_team_and_name"
            ),
        ),
        migrations.AddConstraint(
            model_name="limit",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("concurrency__isnull", False), ("rate__isnull", False), _connector="OR"
                ),
                name="limit_limits_something",
            ),
        ),
        migrations.AddConstraint(
            model_name="limit",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("concurrency__isnull", True), ("concurrency__gte", 1), _connector="OR"
                ),
                name="limit_lets_one_run",
            ),
        ),
        migrations.AddConstraint(
            model_name="limit",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("per_seconds__isnull", True), ("rate__isnull", True)),
                    models.Q(("per_seconds__gt", 0), ("rate__gte", 1)),
                    _connector="OR",
                ),
                name="rate_names_its_time",
            ),
        ),
    ]

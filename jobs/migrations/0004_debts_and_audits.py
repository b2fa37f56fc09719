"""How far a resume decides about slots, and the indexes of what passes look for."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("jobs", "0003_limits_are_archived")]

    operations = [
        migrations.AddField(
            model_name="schedule",
            name="missed_until",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AddIndex(
            model_name="job",
            index=models.Index(
                condition=models.Q(("paused_until__isnull", False)),
                fields=["paused_until"],
                name="job_paused_until_idx",
            ),
        ),
        migrations.AddIndex(
            model_name="schedule",
            index=models.Index(
                condition=models.Q(("mode", "fixed_delay"), ("next_fire_at__isnull", True)),
                fields=["id"],
                name="schedule_unarmed_idx",
            ),
        ),
        migrations.AddIndex(
            model_name="schedule",
            index=models.Index(
                condition=models.Q(
                    ("audited_until__isnull", False),
                    models.Q(
                        ("next_fire_at__isnull", True),
                        ("audited_until__lt", models.F("next_fire_at")),
                        _connector="OR",
                    ),
                ),
                fields=["audited_until"],
                name="schedule_unaudited_idx",
            ),
        ),
    ]

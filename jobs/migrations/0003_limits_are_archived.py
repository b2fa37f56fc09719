"""A limit that is deleted frees its name and stays for the versions that point at it."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("jobs", "0002_policies_and_limits")]

    operations = [
        migrations.AddField(
            model_name="limit",
            name="archived_at",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.RemoveConstraint(model_name="limit", name="one_limit_per_team_and_name"),
        migrations.AddConstraint(
            model_name="limit",
            constraint=models.UniqueConstraint(
                condition=models.Q(("archived_at__isnull", True)),
                fields=("team", "name"),
                name="one_kept_limit_per_team_and_name",
            ),
        ),
    ]

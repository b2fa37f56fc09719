"""One running redrive per cause; events of nobody in particular, and those that stay behind."""

from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("executions", "0006_omitted_output")]

    operations = [
        migrations.AddConstraint(
            model_name="redrive",
            constraint=models.UniqueConstraint(
                fields=("team", "fingerprint"),
                condition=models.Q(("finished_at__isnull", True)),
                name="one_running_redrive_per_cause",
            ),
        ),
        migrations.AddField(
            model_name="outboxevent",
            name="fault",
            field=models.CharField(blank=True, db_default="", max_length=300),
        ),
        migrations.AlterField(
            model_name="outboxevent",
            name="subject",
            field=models.UUIDField(null=True),
        ),
        migrations.AlterField(
            model_name="outboxevent",
            name="team",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="accounts.team",
            ),
        ),
    ]

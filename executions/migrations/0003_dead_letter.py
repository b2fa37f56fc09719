"""The dead letters as a model of their own, without a table of its own."""

from __future__ import annotations

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("executions", "0002_default_queue")]

    operations = [
        migrations.CreateModel(
            name="DeadLetter",
            fields=[],
            options={"proxy": True, "indexes": [], "constraints": []},
            bases=("executions.execution",),
        ),
    ]

"""How many bytes of output were left out before a piece of it."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("executions", "0005_lines")]

    operations = [
        migrations.AddField(
            model_name="logchunk",
            name="omitted",
            field=models.PositiveBigIntegerField(db_default=0, default=0),
        ),
    ]

"""The queue that every job uses unless it says otherwise."""

from __future__ import annotations

from django.db import migrations


def create(apps, schema_editor):
    apps.get_model("executions", "Queue").objects.get_or_create(name="default")


class Migration(migrations.Migration):
    dependencies = [("executions", "0001_initial")]
    operations = [migrations.RunPython(create, migrations.RunPython.noop)]

"""Clean up after schedules that fire before many of their dead index entries lie in a beat's way.

Every slot leaves entries behind at the end of the index that beats look at; by default a million
schedules would be vacuumed after 200 000 of them. The spare room keeps the new version of a row on
the page of the old one.
"""

from __future__ import annotations

from django.db import migrations

SETTINGS = {
    "fillfactor": "80",
    "autovacuum_vacuum_scale_factor": "0.01",
    "autovacuum_vacuum_threshold": "500",
    "autovacuum_analyze_scale_factor": "0.05",
}
SET = ", ".join(f"{name} = {value}" for name, value in SETTINGS.items())


class Migration(migrations.Migration):
    dependencies = [("jobs", "0004_debts_and_audits")]

    operations = [
        migrations.RunSQL(
            f"ALTER TABLE jobs_schedule SET ({SET})",
            f"ALTER TABLE jobs_schedule RESET ({', '.join(SETTINGS)})",
        ),
    ]

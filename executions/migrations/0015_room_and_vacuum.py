"""Room in the pages of attempts, and VACUUM before dead index entries are in everybody's way.

An attempt is written twice; the second time touches no index if its page has room (measured with
batches of 50: none of 100 with full pages, 97 of 100 with half of them free, in as many pages). Who
looks for work reads the low end of indexes to which nothing is ever added there: what has died
there goes only with VACUUM, which by default waits for a fifth of a table to die."""

from __future__ import annotations

from django.db import migrations

SETTINGS = {
    "executions_attempt": "fillfactor = 55",
    "executions_execution": "autovacuum_vacuum_scale_factor = 0.02,"
    " autovacuum_vacuum_threshold = 5000, vacuum_index_cleanup = on",
    "executions_outboxevent": "autovacuum_vacuum_scale_factor = 0,"
    " autovacuum_vacuum_threshold = 5000, vacuum_index_cleanup = on",
}


def changed(table: str, options: str) -> migrations.RunSQL:
    names = ", ".join(option.partition("=")[0].strip() for option in options.split(","))
    return migrations.RunSQL(
        f"ALTER TABLE {table} SET ({options})", f"ALTER TABLE {table} RESET ({names})"
    )


class Migration(migrations.Migration):
    dependencies = [("executions", "0014_fewer_foreign_keys")]
    operations = [changed(table, options) for table, options in SETTINGS.items()]

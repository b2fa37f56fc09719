"""What a deploy may do to tables that workers use meanwhile."""

from __future__ import annotations

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations
from django.db.migrations.loader import MigrationLoader

LARGE = {"attempt", "execution", "executionevent", "logchunk"}


def test_indexes_of_large_tables_are_built_while_others_write() -> None:
    loader = MigrationLoader(None)
    blocking = [
        (migration.name, operation.model_name)
        for (app, _), migration in loader.disk_migrations.items()
        if app == "executions" and not migration.initial
        for operation in migration.operations
        if isinstance(operation, migrations.AddIndex | migrations.RemoveIndex)
        and not isinstance(operation, AddIndexConcurrently | RemoveIndexConcurrently)
        and operation.model_name.lower() in LARGE
    ]

    assert blocking == []

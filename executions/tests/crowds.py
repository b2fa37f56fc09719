"""Many executions alike, for tests of order, bounds and indexes."""

from __future__ import annotations

from typing import Any

from django.db import connection

from executions.models import Execution
from jobs.models import Job
from tests.factories import ExecutionFactory


def crowd(job: Job, number: int, **fields: Any) -> None:
    """Store ``number`` executions of ``job`` that are due at NOON."""
    first = ExecutionFactory.create(job=job, **fields)
    columns = ", ".join(f.column or "" for f in Execution._meta.concrete_fields if f.name != "id")
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO executions_execution (id, {columns}) "  # noqa: S608  names of columns
            f"SELECT gen_random_uuid(), {columns} FROM executions_execution, "
            "generate_series(2, %s) WHERE id = %s",
            [number, first.pk],
        )


def analyze() -> None:
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE executions_execution")

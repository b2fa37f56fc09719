"""Many executions alike, and many who decide about them at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TYPE_CHECKING, Any

from django.db import connection

from executions.models import Execution
from jobs.models import Job
from tests.factories import ExecutionFactory

if TYPE_CHECKING:
    from collections.abc import Callable


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


def in_parallel(number: int, road: Callable[[int], None]) -> None:
    """Call ``road`` with 0 to ``number - 1`` at one moment, each on a connection of its own."""
    barrier = Barrier(number)

    def go(index: int) -> None:
        barrier.wait()
        try:
            road(index)
        finally:
            connection.close()

    with ThreadPoolExecutor(number) as pool:
        list(pool.map(go, range(number)))

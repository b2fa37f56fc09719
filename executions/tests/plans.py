"""What PostgreSQL would do for the queries that a block of code makes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection
from django.test.utils import CaptureQueriesContext


@contextmanager
def planned() -> Iterator[list[str]]:
    """Collect the plan of every SELECT on executions in the block, as if the tables were long.

    Needs a transaction around it, which the tests' mark ``django_db`` opens.
    """
    plans: list[str] = []
    with CaptureQueriesContext(connection) as captured:
        yield plans
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_sort = off")  # cheap only because there are few rows
        for query in captured:
            if 'FROM "executions_' in query["sql"]:
                cursor.execute(f"EXPLAIN {query['sql']}")
                plans.append("\n".join(row[0] for row in cursor.fetchall()))

"""Holds a process at a chosen statement: a lock of the test's own connection stands in its way."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from django.db import connection, transaction

from tests.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from uuid import UUID

    from executions.models import Execution

BLOCKED = """
SELECT application_name FROM pg_stat_activity
WHERE wait_event_type = 'Lock' AND datname = current_database() AND query LIKE %s
"""


def blocked(statement: str) -> list[str]:
    """Names of the parts that wait for a lock in a statement that contains ``statement``."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")  # else one look lasts a transaction
        cursor.execute(BLOCKED, [f"%{statement}%"])
        return [row[0] for row in cursor.fetchall()]


def await_blocked(statement: str, number: int = 1, *, within: float = 15.0) -> list[str]:
    """Wait until ``number`` connections are held at ``statement``; return their parts' names."""

    def names() -> list[str]:
        found = blocked(statement)
        return found if len(found) >= number else []

    return eventually(names, within=within, what=f"{number} parts wait in {statement!r}")


@contextmanager
def settling_blocked(ids: Iterable[UUID]) -> Iterator[None]:
    """Nobody can renew or settle these executions while the block runs."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM executions_execution WHERE id = ANY(%s) ORDER BY id FOR UPDATE",
            [list(ids)],
        )
        yield


@contextmanager
def slot_blocked(execution: Execution) -> Iterator[None]:
    """Who fires the slot of ``execution`` waits while the block runs; then the slot is free."""
    with transaction.atomic():
        execution.save(force_insert=True)
        yield
        transaction.set_rollback(True)

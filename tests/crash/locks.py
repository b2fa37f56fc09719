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
SELECT pid, application_name FROM pg_stat_activity
WHERE wait_event_type = 'Lock' AND datname = current_database() AND query LIKE %s
"""


def await_blocked(statement: str, *, within: float = 15.0) -> dict[int, str]:
    """Wait until somebody waits for a lock in a statement that contains ``statement``.

    Returns the parts' names by the process ids of their connections in the server.
    """
    return eventually(
        lambda: _blocked(statement), within=within, what=f"a part waits in {statement!r}"
    )


def await_given_up(held: Iterable[int], statement: str, *, within: float = 10.0) -> None:
    """Wait until the server has given up the connections ``held``, whose clients are dead.

    Else it would still carry out what they wait for, as soon as it can.
    """
    eventually(
        lambda: not _blocked(statement).keys() & set(held), within=within, what="a dead one leaves"
    )


def _blocked(statement: str) -> dict[int, str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")  # else one look lasts a transaction
        cursor.execute(BLOCKED, [f"%{statement}%"])
        return dict(cursor.fetchall())


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

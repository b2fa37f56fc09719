"""This thread's connection, as the engine uses it beside what jobs do with it."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from django.db import DEFAULT_DB_ALIAS, connections
from psycopg.pq import TransactionStatus

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.db.backends.base.base import BaseDatabaseWrapper


@contextmanager
def kept_whole() -> Iterator[None]:
    """Undo what the block leaves of transactions on this thread's connection.

    An interrupt may come between two steps of Django's account of them, or amid an exchange with
    the server; no later statement could pass then. Inside a transaction this does nothing.
    """
    connection = connections[DEFAULT_DB_ALIAS]
    within = connection.in_atomic_block
    try:
        yield
    finally:
        if not (within or _is_whole(connection)):
            connection.in_atomic_block = connection.closed_in_transaction = False
            connection.close()


def _is_whole(connection: BaseDatabaseWrapper) -> bool:
    if connection.in_atomic_block or connection.closed_in_transaction:
        return False
    raw = connection.connection
    return raw is None or (
        connection.autocommit and raw.info.transaction_status == TransactionStatus.IDLE
    )

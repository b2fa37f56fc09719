"""The backend: connections that end their waits, and are not used when the server ended them."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, Any

import psycopg
from django.db.backends.postgresql import base, operations
from psycopg.errors import ConnectionTimeout
from psycopg_pool import PoolTimeout

from chronos_project.database import driver
from chronos_project.database.connection import PatientConnection

if TYPE_CHECKING:
    from django.db.backends.utils import CursorWrapper

REMEMBERED = 1.0  # seconds that a silent server is not asked again by the same thread


class PreparedCursor(psycopg.Cursor[Any]):
    """Prepares what it executes, or uses what its connection has prepared before.

    Where a migration has changed the type of a column that a kept plan returns, the server refuses
    the plan. Then this connection is closed, and whoever bears the loss of one bears that.
    """

    def execute(self, query: Any, params: Any = None, **options: Any) -> PreparedCursor:
        try:
            return super().execute(query, params, **{**options, "prepare": True})
        except psycopg.errors.FeatureNotSupported as exc:
            self.connection.close()
            raise psycopg.OperationalError(str(exc)) from exc


class Operations(operations.DatabaseOperations):
    """Shows of a prepared statement what the log shows of all others."""

    def last_executed_query(self, cursor: Any, sql: str, params: Any) -> str:
        if isinstance(cursor, PreparedCursor):
            return str(self.compose_sql(sql, params))
        return super().last_executed_query(cursor, sql, params)


class DatabaseWrapper(base.DatabaseWrapper):
    """One thread's connection. Code that goes on after a silence must not wait a second time."""

    Database = driver
    ops_class = Operations
    connection: PatientConnection | None
    _silent_until = 0.0

    def get_new_connection(self, conn_params: dict[str, Any]) -> PatientConnection:
        """Connect, or take a connection from the pool that the server has not ended meanwhile."""
        if monotonic() < self._silent_until:
            raise driver.OperationalError("no answer a moment ago")
        try:
            connection: PatientConnection = super().get_new_connection(conn_params)
            while self.pool and not connection.is_alive():
                self.pool.putconn(connection)  # which replaces it
                connection = super().get_new_connection(conn_params)
        except (ConnectionTimeout, PoolTimeout):
            self._silent_until = monotonic() + REMEMBERED
            raise
        return connection

    def prepared_cursor(self) -> CursorWrapper:
        """Return a cursor that has the server keep the plan of each statement, from the first on.

        Its values are sent apart from the statement, so their types must follow from that.
        """
        self.close_if_health_check_failed()
        self.ensure_connection()
        assert self.connection is not None  # noqa: S101  ensured
        with self.wrap_database_errors:
            plain = PreparedCursor(self.connection)
            cursor: CursorWrapper = self._prepare_cursor(plain)  # type: ignore[attr-defined]  # stubs
        return cursor

    def is_usable(self) -> bool:
        """Say whether the connection is good, without a question to the server."""
        return self.connection is not None and self.connection.is_alive()

    def _close(self) -> None:
        if self.connection is not None and self.connection.was_silent:
            self._silent_until = monotonic() + REMEMBERED
        super()._close()  # type: ignore[misc]  # the stubs do not know it

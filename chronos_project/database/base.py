"""The backend: connections that end their waits, and are not used when the server ended them."""

from __future__ import annotations

from time import monotonic
from typing import Any

from django.db.backends.postgresql import base
from psycopg.errors import ConnectionTimeout
from psycopg_pool import PoolTimeout

from chronos_project.database import driver
from chronos_project.database.connection import PatientConnection

REMEMBERED = 1.0  # seconds that a silent server is not asked again by the same thread


class DatabaseWrapper(base.DatabaseWrapper):
    """One thread's connection. Code that goes on after a silence must not wait a second time."""

    Database = driver
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

    def is_usable(self) -> bool:
        """Say whether the connection is good, without a question to the server."""
        return self.connection is not None and self.connection.is_alive()

    def _close(self) -> None:
        if self.connection is not None and self.connection.was_silent:
            self._silent_until = monotonic() + REMEMBERED
        super()._close()  # type: ignore[misc]  # the stubs do not know it

"""A connection that does not wait for ever, as libpq does when a server is frozen."""

from __future__ import annotations

import select
from time import monotonic
from typing import TYPE_CHECKING, Any, TypeVar

import psycopg
from django.conf import settings
from psycopg import errors
from psycopg.pq import ConnStatus

from lib.patience import FOR_EVER, own_patience

if TYPE_CHECKING:
    from psycopg.abc import PQGen, PQGenConn

T = TypeVar("T")


class PatientConnection(psycopg.Connection[Any]):
    """Closes itself when an answer takes longer than the patience of the process or the block.

    What the server made of the statement is unknown then, as it is whenever a connection breaks.
    """

    was_silent = False

    def wait(self, gen: PQGen[T], interval: float = 0.1, timeout: float | None = None) -> T:
        """Wait for the end of one exchange with the server.

        Raises ``psycopg.OperationalError`` when it does not come in time.
        """
        limit = timeout or patience()
        try:
            return super().wait(gen, interval, limit)
        except errors._WaitTimeout:
            if timeout is not None:
                raise  # of whoever asked for it: psycopg itself
            self.was_silent = True
            self.close()
            raise psycopg.OperationalError(f"no answer within {limit:g} s") from None

    def is_alive(self) -> bool:
        """Say whether the server has not ended this idle connection.

        Asks the kernel, not the server: a server that ends says so, and that waits to be read.
        """
        if self.closed:
            return False
        socket = select.poll()
        socket.register(self.pgconn.socket, select.POLLIN)
        try:
            while socket.poll(0):
                self.pgconn.consume_input()
        except psycopg.OperationalError:
            return False
        return self.pgconn.status == ConnStatus.OK

    @classmethod
    def _connect_gen(cls, conninfo: str = "") -> PQGenConn[PatientConnection]:
        """Give up earlier than ``connect_timeout`` allows, which is 2 seconds at least."""
        limit = patience()
        until = monotonic() + limit if limit else float("inf")
        connecting = super()._connect_gen(conninfo)
        try:
            waited_for = next(connecting)
            while monotonic() < until:
                waited_for = connecting.send((yield waited_for))
        except StopIteration as connected:
            return connected.value  # type: ignore[no-any-return]  # of the generator above
        raise errors.ConnectionTimeout(f"no connection within {limit:g} s")


def patience() -> float | None:
    """Return how many seconds one answer is waited for; ``None`` is for ever."""
    own = own_patience()
    seconds: float = settings.DB_PATIENCE_SECONDS if own is None else own
    return None if seconds == FOR_EVER else seconds

"""The worker's consumer: Celery's, but it looks for a broker that is away every few seconds."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from celery.worker import consumer

if TYPE_CHECKING:
    from kombu.connection import Connection

LONGEST_PAUSE = 4  # seconds; Celery's own grow to 30, which is how late work may start at most


class Consumer(consumer.Consumer):  # type: ignore[misc]  # untyped library
    def ensure_connected(self, conn: Connection) -> Any:
        patient = partial(conn.ensure_connection, interval_max=LONGEST_PAUSE)
        conn.ensure_connection = patient  # type: ignore[method-assign]  # Celery gives no way in
        return super().ensure_connected(conn)

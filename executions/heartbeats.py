"""Signs of life of beats and workers: a row for each start, touched every few seconds."""

from __future__ import annotations

import os
import threading
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import structlog
from django.conf import settings
from django.db import close_old_connections, connection

from executions import clock
from executions.models import Beat, Worker

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

log = structlog.get_logger(__name__)

EVERY_SECONDS = 5.0
SILENT_AFTER = timedelta(seconds=15)


class Pulse:
    """One process's row: made at the first touch, so that start-up needs no database."""

    def __init__(self, model: type[Beat] | type[Worker], name: str, **facts: Any) -> None:
        self._model = model
        self._facts = {"name": name, "pid": os.getpid(), "version": settings.CHRONOS_VERSION}
        self._facts |= facts
        self._row: Beat | Worker | None = None

    def touch(self, now: datetime) -> None:
        """Say that the process lives."""
        if self._row is None:
            row = self._model(started_at=now, heartbeat_at=now, **self._facts)
            row.save(force_insert=True)
            self._row = row
        else:
            self._model.objects.filter(pk=self._row.pk).update(heartbeat_at=now)

    def stop(self, now: datetime) -> None:
        """Say that the process ends in order."""
        if self._row is not None:
            self._model.objects.filter(pk=self._row.pk).update(heartbeat_at=now, stopped_at=now)


class Heart(threading.Thread):
    """Touches a worker's row from a thread of its main process until it is stopped.

    Each of ``duties`` is called with nothing as often; one that fails keeps nobody from the others.
    """

    def __init__(self, pulse: Pulse, duties: Sequence[Callable[[], None]]) -> None:
        super().__init__(name="heart", daemon=True)
        self._pulse = pulse
        self._duties = duties
        self._stopped = threading.Event()

    def run(self) -> None:
        while True:
            for duty in (self._touch, *self._duties, close_old_connections):
                _guarded(duty)
            if self._stopped.wait(EVERY_SECONDS):
                break
        _guarded(lambda: self._pulse.stop(clock.now()))

    def stop(self) -> None:
        """Let the last row be written, and wait for it a moment."""
        self._stopped.set()
        self.join(timeout=2)

    def _touch(self) -> None:
        self._pulse.touch(clock.now())


def _guarded(duty: Callable[[], None]) -> None:
    try:
        duty()
    except Exception:  # without this thread the worker would count as dead
        log.exception("heartbeat.failed")
        connection.close()

"""How a worker ends: it begins nothing more, gives its work some time, and hands back the rest."""

from __future__ import annotations

import os
import threading
import time
from typing import TYPE_CHECKING

import structlog
from django.conf import settings

from executions import board, leases
from executions.stops import Stop

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from executions.leases import Kept

log = structlog.get_logger(__name__)

LEAVE_SECONDS = 10.0  # for Celery to end once nothing runs any more
FORCE_SECONDS = 2 * leases.GRACE_SECONDS  # in which a job stops by itself, or is forced to
POLL_SECONDS = 0.05

_asked = threading.Event()


def asked() -> bool:
    """Say whether this worker was told to stop: then nothing may be claimed any more."""
    return _asked.is_set() or (board.mine is not None and board.mine.board.closed)


class Shutdown:
    """Ends the worker when asked to. Made, with its thread, before the first signal comes.

    ``seats`` are those of its pool children. ``others()`` says whether tasks run that are no
    executions: they, too, have the grace. ``last`` is called before a process that will not end by
    itself is ended by force.
    """

    def __init__(
        self, seats: board.Board | None, *, others: Callable[[], bool], last: Callable[[], None]
    ) -> None:
        self._seats = seats
        self._others = others
        self._last = last
        self._hurry = threading.Event()
        self._status = 0
        threading.Thread(target=self._run, name="shutdown", daemon=True).start()

    def ask(self, *, at_once: bool = False, status: int = 0) -> None:
        """Begin to end, or hurry if it has begun; safe in a signal handler."""
        if at_once or _asked.is_set():
            self._hurry.set()
        self._status = self._status or status
        if self._seats is not None:
            self._seats.close()
        _asked.set()

    def _run(self) -> None:
        _asked.wait()
        log.info("worker.stopping", running=len(leases.held()), status=self._status)
        began = busy = time.monotonic()
        patient_until = began + settings.CHRONOS_SHUTDOWN_GRACE_SECONDS
        while time.monotonic() < busy + LEAVE_SECONDS:
            time.sleep(POLL_SECONDS)
            now = time.monotonic()
            if self._hurry.is_set():
                patient_until = min(patient_until, now)
            held = leases.held()
            if now >= patient_until:
                _hand_back(held)
            if (held and now < patient_until + FORCE_SECONDS) or (
                now < patient_until and self._others()
            ):
                busy = now
        log.warning("worker.forced_to_stop", running=len(leases.held()))
        self._last()
        os._exit(self._status)


def _hand_back(held: Sequence[Kept]) -> None:
    for one in held:
        one.give_up(Stop.WORKER)

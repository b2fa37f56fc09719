"""Leases of the attempts that this process runs: renewed while they work, given up in time."""

from __future__ import annotations

import os
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog
from django.conf import settings
from django.db import Error, connection

from executions import clock, interrupts, logs

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from uuid import UUID

    from executions.models import Execution
    from jobs.kinds.base import Context

log = structlog.get_logger(__name__)

FLUSH_SECONDS = 1.0
MARGIN = 0.2  # of a lease: an attempt that could not renew stops this long before its lease ends

RENEW = """
UPDATE executions_execution
SET lease_expires_at = %(until)s
FROM unnest(%(ids)s::uuid[], %(attempts)s::int[]) AS held (id, attempt)
WHERE executions_execution.id = held.id AND executions_execution.attempt = held.attempt
    AND status = 'running'
RETURNING held.id
"""


def length() -> timedelta:
    return timedelta(seconds=settings.CHRONOS_LEASE_SECONDS)


@dataclass(slots=True, eq=False)
class Held:
    """An attempt that this process runs. ``until`` is in ``clock.ticks``."""

    execution_id: UUID
    attempt: int
    context: Context
    output: logs.Output
    until: float

    def give_up(self, why: str) -> None:
        """Stop the work: its outcome no longer counts."""
        if self.context.stop.is_set():
            return
        log.warning("lease.given_up", execution_id=str(self.execution_id), why=why)
        self.context.stop.set()
        interrupts.interrupt()


class Keeper:
    """Renews all leases of one process in one statement, and flushes output for live readers."""

    def __init__(self) -> None:
        self._held: set[Held] = set()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._pid = 0

    def add(self, held: Held) -> None:
        with self._changed:
            if self._pid != os.getpid():  # a forked child inherits the object but not the thread
                self._pid, self._thread, self._held = os.getpid(), None, set()
            self._held.add(held)
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._keep, name="leases", daemon=True)
                self._thread.start()
            self._changed.notify()

    def remove(self, held: Held) -> None:
        with self._changed:
            self._held.discard(held)

    def _keep(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._held)
            time.sleep(FLUSH_SECONDS)  # most executions are over by then and cost nothing here
            with self._changed:
                held = list(self._held)
            try:
                tend(held)
                connection.close()  # used a few times a minute: not worth keeping one
            except Exception:  # without this thread every lease of the process would lapse
                log.exception("lease.not_tended")


def tend(held: Sequence[Held]) -> None:
    """Renew the leases that are a third spent, and store what was written meanwhile."""
    spent = clock.ticks() + length().total_seconds() * 2 / 3
    renew([one for one in held if one.until <= spent])
    flush(held)


def renew(held: Sequence[Held]) -> None:
    """Renew the leases of ``held``; give up those that somebody ended or that run out.

    A database that is away is waited for until ``MARGIN`` before the end of each lease.
    """
    if not held:
        return
    started = clock.ticks()
    try:
        kept = _renew_rows(held)
    except Error as exc:
        log.warning("lease.database_away", error=repr(exc))
        connection.close()
        _give_up_late(held)
        return
    for one in held:
        if one.execution_id in kept:
            one.until = started + length().total_seconds()
        else:
            one.give_up("cancelled, or taken over after its lease ran out")


def flush(held: Sequence[Held]) -> None:
    """Store what ``held`` have written since the last time; what cannot be stored is dropped."""
    pieces = [(one.execution_id, one.attempt, chunk) for one in held for chunk in one.output.take()]
    if pieces:
        try:
            logs.store(pieces)
        except Error as exc:
            log.warning("logs.not_stored", chunks=len(pieces), error=repr(exc))


@contextmanager
def hold(
    execution: Execution, context: Context, output: logs.Output, *, since: float
) -> Iterator[None]:
    """Keep the lease of ``execution``, claimed no earlier than ``since``, while the block runs."""
    until = since + length().total_seconds()
    held = Held(execution.pk, execution.attempt, context, output, until)
    keeper.add(held)
    try:
        yield
    finally:
        keeper.remove(held)


def _renew_rows(held: Sequence[Held]) -> set[UUID]:
    with connection.cursor() as cursor:
        cursor.execute(
            RENEW,
            {
                "until": clock.now() + length(),
                "ids": [one.execution_id for one in held],
                "attempts": [one.attempt for one in held],
            },
        )
        return {row[0] for row in cursor.fetchall()}


def _give_up_late(held: Sequence[Held]) -> None:
    margin = length().total_seconds() * MARGIN
    for one in held:
        if clock.ticks() > one.until - margin:
            one.give_up("its lease could not be renewed")


keeper = Keeper()

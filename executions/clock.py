"""The database's now: the one clock that due decisions and leases are measured by."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

from django.db import InterfaceError, OperationalError, connection

ANCHOR_SECONDS = 30.0  # a monotonic clock drifts far less than a millisecond in this time

# Counts on while the machine is suspended, which CLOCK_MONOTONIC does not.
_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)

_anchor: tuple[float, datetime] | None = None


def ticks() -> float:
    """Seconds that only grow, whatever happens to the wall clock; their zero means nothing."""
    return time.clock_gettime(_CLOCK)


def read() -> datetime:
    """Ask the database for its time and anchor ``now`` to it."""
    global _anchor  # noqa: PLW0603  one anchor a process, replaced whole
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        instant: datetime = cursor.fetchone()[0].astimezone(UTC)
    _anchor = (ticks(), instant)
    return instant


def now() -> datetime:
    """Return the database's time, never ahead of it and late by at most a round trip.

    Asks the database once in ``ANCHOR_SECONDS``; in between, and while the database is away, this
    process's own ticks count on, so a wall clock that jumps changes nothing.
    """
    if _anchor is None:
        return read()
    ticked, instant = _anchor
    elapsed = ticks() - ticked
    if elapsed > ANCHOR_SECONDS:
        try:
            return read()
        except (OperationalError, InterfaceError):
            if connection.in_atomic_block:
                raise  # the transaction is lost
            connection.close()
    return instant + timedelta(seconds=elapsed)

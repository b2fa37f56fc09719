"""The database's now: the one clock that due decisions and leases are measured by."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

from django.db import connection

ANCHOR_SECONDS = 30.0  # a monotonic clock drifts far less than a millisecond in this time

_anchor: tuple[float, datetime] | None = None


def read() -> datetime:
    """Ask the database for its time and anchor ``now`` to it."""
    global _anchor  # noqa: PLW0603  one anchor a process, replaced whole
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        instant: datetime = cursor.fetchone()[0].astimezone(UTC)
    _anchor = (time.monotonic(), instant)
    return instant


def now() -> datetime:
    """Return the database's time, never ahead of it and late by at most a round trip.

    Asks the database once in ``ANCHOR_SECONDS``; in between this process's monotonic clock
    counts on, so a wall clock that jumps changes nothing.
    """
    anchor = _anchor
    if anchor is None:
        return read()
    monotonic, instant = anchor
    elapsed = time.monotonic() - monotonic
    if elapsed > ANCHOR_SECONDS:
        return read()
    return instant + timedelta(seconds=elapsed)

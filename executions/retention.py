"""How long history is kept: what the settings say, as instants."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from django.conf import settings

from executions import rollups

if TYPE_CHECKING:
    from datetime import datetime


class Cutoffs(NamedTuple):
    """What ended before these instants may be deleted; ``None``: none of it."""

    done: datetime | None
    failed: datetime | None

    @property
    def latest(self) -> datetime | None:
        """Nothing that ended since then is deleted."""
        return _later(*self)


def cutoffs(now: datetime) -> Cutoffs:
    """Return until when executions must have ended to be old ``now``, or too many.

    One or two queries where their number is bounded, else none.
    """
    most = settings.CHRONOS_KEEP_MOST
    crowded = rollups.began(most) if most else None
    ages = (settings.CHRONOS_KEEP_DAYS, settings.CHRONOS_KEEP_FAILED_DAYS)
    return Cutoffs(*(_later(before(now, days), crowded) for days in ages))


def before(now: datetime, days: float) -> datetime | None:
    """Return the instant ``days`` before ``now``; ``None`` for 0 days, which mean for ever."""
    return now - timedelta(days=days) if days else None


def _later(*instants: datetime | None) -> datetime | None:
    return max(filter(None, instants), default=None)

"""How long history is kept: what the settings say, as instants."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from django.conf import settings

if TYPE_CHECKING:
    from datetime import datetime


class Cutoffs(NamedTuple):
    """What ended before these instants may be deleted; ``None``: none of it."""

    done: datetime | None
    failed: datetime | None

    @property
    def latest(self) -> datetime | None:
        """Nothing that ended since then is deleted."""
        return max(filter(None, self), default=None)


def cutoffs(now: datetime) -> Cutoffs:
    """Return until when executions must have ended to be old ``now``."""
    return Cutoffs(
        done=before(now, settings.CHRONOS_KEEP_DAYS),
        failed=before(now, settings.CHRONOS_KEEP_FAILED_DAYS),
    )


def before(now: datetime, days: float) -> datetime | None:
    """Return the instant ``days`` before ``now``; ``None`` for 0 days, which mean for ever."""
    return now - timedelta(days=days) if days else None

"""Which processes were heard of lately: a beat to fire schedules, a worker of each fleet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from executions.heartbeats import SILENT_AFTER
from executions.models import Beat, Worker

if TYPE_CHECKING:
    from datetime import datetime

SILENCE = f"{SILENT_AFTER.total_seconds():g} s"


def beat(now: datetime) -> bool:
    """Say whether any beat was heard of lately."""
    return Beat.objects.fresh(now - SILENT_AFTER).exists()


def fleets(now: datetime) -> set[str]:
    """Return the fleets of which any worker was heard of lately."""
    fresh = Worker.objects.fresh(now - SILENT_AFTER)
    return set(fresh.order_by().values_list("fleet", flat=True).distinct())

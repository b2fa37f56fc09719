"""How late slots were."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from django.db.models import F, Max

if TYPE_CHECKING:
    from datetime import datetime

    from tests.crash.trial import Trial


def latest(trial: Trial, *, since: datetime) -> timedelta:
    """How late the most belated slot was queued of those that came after ``since``."""
    slots = trial.executions.filter(scheduled_for__gte=since)
    lateness = slots.aggregate(latest=Max(F("queued_at") - F("scheduled_for")))["latest"]
    assert isinstance(lateness, timedelta), "no slot came"
    return lateness

"""Which processes were heard of lately: a beat to fire schedules, a worker of each fleet."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from django.db.models import Count, Sum

from executions.heartbeats import SILENT_AFTER
from executions.models import Beat, Worker

if TYPE_CHECKING:
    from datetime import datetime

SILENCE = f"{SILENT_AFTER.total_seconds():g} s"


class FleetNumbers(NamedTuple):
    """A fleet's workers, and how many executions they can run at once."""

    name: str
    workers: int
    slots: int


def beat(now: datetime) -> bool:
    """Say whether any beat was heard of lately."""
    return beats(now) > 0


def beats(now: datetime) -> int:
    """Count the beats that were heard of lately."""
    return Beat.objects.fresh(now - SILENT_AFTER).count()


def fleets(now: datetime) -> set[str]:
    """Return the fleets of which any worker was heard of lately."""
    return {fleet.name for fleet in fleets_in_numbers(now)}


def fleets_in_numbers(now: datetime) -> list[FleetNumbers]:
    """Return each fleet of which workers were heard of lately, with how many they are."""
    fresh = Worker.objects.fresh(now - SILENT_AFTER).order_by("fleet")
    rows = fresh.values_list("fleet").annotate(Count("pk"), Sum("slots"))
    return [FleetNumbers(*row) for row in rows]

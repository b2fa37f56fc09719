"""Triggers: from the schedule of a job to the instants at which it is due."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from jobs.triggers import bounded, cron, interval, once
from jobs.triggers.base import Trigger, TriggerError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

__all__ = ["Trigger", "TriggerError", "build", "build_coming"]

BUILDERS: dict[str, Callable[[Mapping[str, Any]], Trigger]] = {
    "cron": cron.build,
    "interval": interval.build,
    "once": once.build,
    "manual": once.build_manual,
}
# "Now" has passed by the time that a request is checked, and clocks differ.
_JUST_NOW = timedelta(minutes=1)


def build(schedule: Mapping[str, Any]) -> Trigger:
    """Return the trigger of a canonical schedule.

    ``schedule`` has a ``type`` and the fields of that type, with typed values: aware datetimes,
    numbers and text, not text for everything. Fields of other types are not looked at. Slots that
    are past do not matter, so what was once stored can always be built.

    Raises ``TriggerError`` for whatever makes no sense.
    """
    kind = schedule.get("type")
    if not isinstance(kind, str) or kind not in BUILDERS:
        raise TriggerError(
            "type",
            "schedule.type_unknown",
            "type must be one of the known schedule types.",
            hint=f"Known: {', '.join(BUILDERS)}.",
        )
    bounds = bounded.bounds(schedule)  # first: an interval may count from its start
    trigger = BUILDERS[kind](schedule)
    return bounded.BoundedTrigger(trigger, **bounds) if bounds else trigger


def build_coming(schedule: Mapping[str, Any], *, now: datetime) -> Trigger:
    """Build the trigger of a new schedule, which must still have a slot ahead of it.

    A slot that is at most a minute past counts as now. Raises ``TriggerError`` for one whose
    slots have all passed, such as ``run_at`` of yesterday; ``manual`` needs none.
    """
    trigger, since = build(schedule), now - _JUST_NOW
    if schedule["type"] == "manual" or trigger.after(since):
        return trigger
    raise _never(schedule, trigger, since)


def _never(schedule: Mapping[str, Any], trigger: Trigger, since: datetime) -> TriggerError:
    """Say why a schedule that makes sense has no slot after ``since``."""
    if schedule["type"] == "once":
        return TriggerError("run_at", "schedule.run_at_past", "run_at is in the past.")
    if isinstance(trigger, bounded.BoundedTrigger) and trigger.inner.after(since):
        if trigger.ends_at <= since:
            return TriggerError("ends_at", "schedule.ends_at_past", "ends_at is in the past.")
        return TriggerError(
            "ends_at", "schedule.never_fires", "The schedule has no slot before ends_at."
        )
    return TriggerError(
        "cron", "schedule.never_fires", "The expression never fires again: its years have passed."
    )

"""What a canonical schedule of each type says, and what it means when it does not say it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jobs.policies import IntervalMode

if TYPE_CHECKING:
    from collections.abc import Mapping

_BOUNDS = ("jitter_seconds", "starts_at", "ends_at", "max_executions")
NEEDED: dict[str, tuple[str, ...]] = {
    "manual": (),
    "once": (),
    "interval": ("every_seconds",),
    "cron": ("cron",),
}
TAKEN: dict[str, tuple[str, ...]] = {
    "manual": (),
    "once": ("run_at", "jitter_seconds"),
    "interval": ("mode", "anchor", *_BOUNDS),
    "cron": ("timezone", *_BOUNDS),
}
UNSAID: dict[str, Any] = {
    "mode": IntervalMode.FIXED_RATE.value,
    "anchor": None,
    "jitter_seconds": 0,
    "starts_at": None,
    "ends_at": None,
    "max_executions": None,
}
"""What silence means. A canonical schedule does not say these values."""

UNSET = {"cron": "", "timezone": "UTC", "every_seconds": None, "run_at": None, **UNSAID}
"""What a row holds of the fields that its type does not have."""


def of(row: Any) -> dict[str, Any]:
    """Return the canonical schedule of a ``Schedule`` row; it is what ``triggers.build`` takes."""
    names = (*NEEDED[row.type], *TAKEN[row.type])
    spec = {"type": row.type} | {name: getattr(row, name) for name in names}
    if "jitter_seconds" in spec:
        spec["jitter_seconds"] = shortest(spec["jitter_seconds"])
    return terse(spec)


def terse(spec: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what goes without saying."""
    return {name: value for name, value in spec.items() if value != UNSAID.get(name, ...)}


def shortest(number: float) -> float:
    """Return a whole number as one: 60 and not 60.0."""
    return int(number) if number == int(number) else number

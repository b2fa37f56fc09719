"""The passes that put right what a crash or a lost message left behind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from accounts.kept_answers import prune as forget_answers
from executions.maintenance.attempts import audit_attempts
from executions.maintenance.audit import audit_slots
from executions.maintenance.expire import expire
from executions.maintenance.forget import (
    forget_events,
    forget_processes,
    forget_redrives,
    forget_results,
    forget_rollups,
)
from executions.maintenance.prune import prune
from executions.maintenance.rearm import rearm
from executions.maintenance.redispatch import redispatch
from executions.maintenance.rescue import rescue
from executions.maintenance.resume import wake_paused
from executions.queues import resume_due

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

__all__ = [
    "AUDITS",
    "PASSES",
    "PRUNES",
    "audit_attempts",
    "audit_slots",
    "expire",
    "forget_events",
    "forget_processes",
    "forget_redrives",
    "forget_results",
    "forget_rollups",
    "prune",
    "prune_all",
    "rearm",
    "redispatch",
    "rescue",
    "sweep_all",
    "wake_paused",
]

PASSES: tuple[Callable[[datetime], int], ...] = (
    rescue,
    redispatch,
    expire,
    resume_due,
    wake_paused,
    rearm,
    forget_answers,
)
AUDITS: tuple[Callable[[datetime], int], ...] = (audit_slots, audit_attempts)
"""Passes that only look: the full sweep proves by them that the others, and all else, work."""
PRUNES: tuple[Callable[[datetime], int], ...] = (
    prune,
    forget_results,
    forget_events,
    forget_redrives,
    forget_processes,
    forget_rollups,
)
"""Passes that delete what is old. Nobody waits for them, so a worker runs them, not the beats."""
MOST_BATCHES = 200  # of each in one go, so that a mountain of old rows is taken away in many


def sweep_all(now: datetime) -> dict[str, int]:
    """Sweep and audit until nothing is left; return how many rows each pass handled in all.

    What is handled moves out of its pass's sight, so this ends.
    """
    total = dict.fromkeys((one.__name__ for one in (*PASSES, *AUDITS)), 0)
    for one in (*PASSES, *AUDITS):
        while handled := one(now):
            total[one.__name__] += handled
    return total


def prune_all(now: datetime) -> dict[str, int]:
    """Delete what is old, up to ``MOST_BATCHES`` of each pass; return what each has handled."""
    return {one.__name__: _batches(one, now) for one in PRUNES}


def _batches(one: Callable[[datetime], int], now: datetime) -> int:
    total = 0
    for _ in range(MOST_BATCHES):
        handled = one(now)
        total += handled
        if not handled:
            break
    return total

"""A part: one long-running process of the platform, described as data."""

from __future__ import annotations

import signal
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


class Tier(IntEnum):
    """Parts stop from the highest tier down; those of one tier stop together."""

    SERVER = 0
    WEB = 1
    WORKER = 2
    CLOCK = 3


@dataclass(frozen=True, slots=True)
class Part:
    """What to start, and how to stop it.

    ``stop_signal`` goes to the main process alone: the pool children of a Celery worker must not
    see it. After ``grace`` seconds ``force_signal`` goes to the whole process group, and SIGKILL
    follows. ``user`` and ``group`` are numeric ids to run as, or ``None`` for one's own.
    """

    name: str
    argv: tuple[str, ...]
    tier: Tier
    env: Mapping[str, str] = field(default_factory=dict)
    stop_signal: signal.Signals = signal.SIGTERM
    force_signal: signal.Signals = signal.SIGKILL
    grace: float = 10.0  # seconds
    cwd: str | None = None
    user: int | None = None
    group: int | None = None

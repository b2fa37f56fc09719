"""The passes that put right what a crash or a lost message left behind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from executions.maintenance.redispatch import redispatch
from executions.maintenance.rescue import rescue

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

PASSES: tuple[Callable[[datetime], int], ...] = (rescue, redispatch)


def sweep(now: datetime) -> dict[str, int]:
    """Run one batch of every pass; return how many rows each handled."""
    return {one.__name__: one(now) for one in PASSES}

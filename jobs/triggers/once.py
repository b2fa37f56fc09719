"""One slot, or none at all."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from jobs.triggers.base import checked_instant

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class OnceTrigger:
    """The slot ``run_at`` and no other; without it never, for jobs that are started by hand."""

    run_at: datetime | None = None

    def after(self, instant: datetime) -> datetime | None:
        return self.run_at if self.run_at and self.run_at > instant else None

    def at_or_before(self, instant: datetime) -> datetime | None:
        return self.run_at if self.run_at and self.run_at <= instant else None

    def count(self, after: datetime, until: datetime) -> int:
        return 1 if self.run_at and after < self.run_at <= until else 0


def build(schedule: Mapping[str, Any]) -> OnceTrigger:
    """Build from ``run_at``, past or future."""
    return OnceTrigger(checked_instant("run_at", schedule.get("run_at")))


def build_manual(_schedule: Mapping[str, Any]) -> OnceTrigger:
    """Build the trigger that never fires."""
    return OnceTrigger()

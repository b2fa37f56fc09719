"""What a trigger is: the pure rule that yields slots."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from datetime import datetime


class Trigger(Protocol):
    """A rule that names instants. Instants are aware UTC on both sides."""

    def after(self, instant: datetime) -> datetime | None:
        """Return the first slot strictly after ``instant``, or ``None`` when there is none."""


class TriggerError(ValueError):
    """A trigger that makes no sense. ``field`` is the canonical field below ``schedule`` that is wrong,
    ``code`` a stable word such as ``schedule.cron_invalid``, ``hint`` says how to mend it."""

    def __init__(self, field: str, code: str, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.field = field
        self.code = code
        self.hint = hint

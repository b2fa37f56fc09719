"""What a trigger is: the pure rule that yields slots."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Protocol

FIRST = datetime(1970, 1, 1, tzinfo=UTC)
"""No slot lies before this instant."""

HORIZON = datetime(9999, 1, 1, tzinfo=UTC)
"""No slot lies at or after this instant: every zone can still show the ones before it."""


class Trigger(Protocol):
    """A rule that names instants, its slots.

    Instants are aware UTC on both sides. Every answer takes bounded time, however far apart the
    instants lie and however many slots are between them.
    """

    def after(self, instant: datetime) -> datetime | None:
        """Return the first slot strictly after ``instant``, or ``None`` when there is none."""

    def at_or_before(self, instant: datetime) -> datetime | None:
        """Return the last slot that is not after ``instant``, or ``None`` when there is none."""

    def count(self, after: datetime, until: datetime) -> int:
        """Return how many slots there are with ``after < slot <= until``."""


class TriggerError(ValueError):
    """A trigger that makes no sense.

    ``field`` is the canonical field below ``schedule`` that is wrong, ``code`` a stable word such
    as ``schedule.cron_invalid``; ``hint`` says how to mend it and may be empty.
    """

    def __init__(self, field: str, code: str, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.field = field
        self.code = code
        self.hint = hint


def checked_instant(field: str, value: Any) -> datetime:
    """Return ``value`` in UTC.

    Raises ``TriggerError`` unless it is an aware ``datetime`` of the years 1970 to 9998.
    """
    if not isinstance(value, datetime) or value.utcoffset() is None:
        raise TriggerError(
            field,
            "schedule.instant_invalid",
            f"{field} must be an instant with an offset.",
            hint="Write it like 2027-12-25T10:00:00Z.",
        )
    if not FIRST <= value < HORIZON:  # before the conversion, which may overflow
        raise TriggerError(
            field,
            "schedule.instant_invalid",
            f"{field} must lie between the years {FIRST.year} and {HORIZON.year - 1}.",
        )
    return value.astimezone(UTC)

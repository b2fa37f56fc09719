"""The context of an attempt, for tests of what runs in one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from jobs.kinds.base import Context

EXECUTION = UUID("0197a0b0-0000-7000-8000-000000000001")
JOB = UUID("0197a0b0-0000-7000-8000-000000000002")
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


def a_context(**changes: Any) -> Context:
    """Return the context of a first attempt, due at ``NOON``; what it writes is dropped."""
    usual: dict[str, Any] = {
        "execution_id": EXECUTION,
        "job_id": JOB,
        "attempt": 1,
        "failures": 0,
        "scheduled_for": NOON,
        "timeout": timedelta(seconds=5),
        "write": lambda stream, text: None,
    }
    return Context(**usual | changes)

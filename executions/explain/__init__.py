"""Why an execution is where it is, what became of it and of a slot: for programs and people."""

from __future__ import annotations

from executions.explain.explanation import Explanation, explain
from executions.explain.instants import Answer, explain_instant
from executions.explain.state import (
    allowed_actions,
    duration,
    lateness,
    may_run_again,
    waiting_on,
)

__all__ = [
    "Answer",
    "Explanation",
    "allowed_actions",
    "duration",
    "explain",
    "explain_instant",
    "lateness",
    "may_run_again",
    "waiting_on",
]

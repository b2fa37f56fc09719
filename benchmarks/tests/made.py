"""Result lines for tests: a call names only what matters to the story."""

from __future__ import annotations

from typing import Any

from benchmarks.lines import Line


def line(contender: str = "chronos", **told: Any) -> Line:
    """A line of S1 of the first session; ``figures`` or ``error`` say what came of it."""
    made: Line = {
        "session": "2027-06-15 12:00:00",
        "form": "full",
        "machine": {"processor": "2 x some"},
        "versions": {"chronos": "abc", "celery": "5.7.0"},
        "settings": {"fsync": "on"},
        "scenario": "S1",
        "label": "",
        "contender": contender,
        "repetition": 1,
        "sizes": {"backlog": 10},
        "noisy": False,
    }
    return made | told

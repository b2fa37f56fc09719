"""The verdict names the worst that is wrong."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from executions.standing import Line
from executions.verdicts import verdict
from tests.factories import NOON

WELL: dict[str, Any] = {"scheduler": True, "fleets": {"io", "compute"}, "dead": 0}
LINE = Line(name="mail", paused=False, active=0, waiting=3, late=0, oldest_due_at=NOON)


@pytest.mark.parametrize(
    ("queues", "state", "status", "code"),
    [
        ([LINE], {}, "ok", "ok"),
        ([LINE], {"dead": 2}, "ok", "dead_letters"),
        ([replace(LINE, late=3)], {"dead": 2}, "degraded", "late"),
        ([replace(LINE, late=3, paused=True)], {}, "degraded", "queue_paused"),
        ([replace(LINE, waiting=0, paused=True)], {}, "ok", "ok"),
        ([replace(LINE, paused=True)], {"fleets": {"io"}}, "degraded", "no_worker"),
        ([], {"fleets": set()}, "down", "no_worker"),
        ([], {"fleets": set(), "scheduler": False}, "down", "no_scheduler"),
    ],
)
def test_the_worst_comes_first(
    queues: list[Line], state: dict[str, Any], status: str, code: str
) -> None:
    found = verdict(queues, **WELL | state)

    assert (found.status, found.code) == (status, code)


def test_the_sentence_names_the_queue_with_most_late_executions() -> None:
    found = verdict([replace(LINE, late=3), replace(LINE, name="bulk", late=9)], **WELL)

    assert found.sentence == (
        "In the queue bulk 9 executions are late, since 2027-06-15 12:00 UTC."
    )

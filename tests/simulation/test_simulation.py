"""Thousands of seeded histories: whatever is lost or dies, every promise holds at the end."""

from __future__ import annotations

import os

import pytest

from tests.simulation.looking import Violation
from tests.simulation.plans import draw
from tests.simulation.shrink import shrunken
from tests.simulation.world import play

MORE = 10  # histories for each execution that a crash test runs


def test_every_promise_holds_in_every_history(seeds: range) -> None:
    for seed in seeds:
        _play(seed)


@pytest.mark.crash
def test_every_promise_holds_in_histories_that_nobody_has_seen() -> None:
    """``make test-crash N=… SEED=…`` chooses them."""
    first = int(os.environ.get("CHRONOS_CRASH_SEED") or "1") * 1_000_000
    for seed in range(first, first + MORE * int(os.environ.get("CHRONOS_CRASH_N") or "20")):
        _play(seed)


def _play(seed: int) -> None:
    plan = draw(seed)
    try:
        play(plan)
    except Violation as exc:
        shorter, broken = shrunken(plan)
        pytest.fail(f"seed {seed}: {exc}\nshrunken: {broken}\nplay({shorter})", pytrace=False)

"""Thousands of seeded histories: whatever is lost or dies, every promise holds at the end."""

from __future__ import annotations

import pytest

from tests.simulation.looking import Violation
from tests.simulation.plans import draw
from tests.simulation.shrink import shrunken
from tests.simulation.world import play


def test_every_promise_holds_in_every_history(seeds: range) -> None:
    for seed in seeds:
        plan = draw(seed)
        try:
            play(plan)
        except Violation as exc:
            shorter, broken = shrunken(plan)
            pytest.fail(f"seed {seed}: {exc}\nshrunken: {broken}\nplay({shorter})", pytrace=False)

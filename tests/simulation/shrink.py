"""From a history that breaks a promise to a short one that breaks it, too."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tests.simulation.looking import Violation
from tests.simulation.world import play

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.simulation.plans import Plan, Step


def shrunken(plan: Plan) -> tuple[Plan, Violation]:
    """Return a plan from which no step can be left out, and what it breaks."""
    broken = _violation(plan)
    assert broken is not None, "this history broke a promise once, and does not any more"
    while shorter := next(_still_broken(plan), None):
        plan, broken = shorter
    return plan, broken


def _still_broken(plan: Plan) -> Iterator[tuple[Plan, Violation]]:
    for steps in _simpler(plan.steps):
        candidate = replace(plan, steps=steps)
        broken = _violation(candidate)
        if broken is not None:
            yield candidate, broken


def _simpler(steps: tuple[Step, ...]) -> Iterator[tuple[Step, ...]]:
    """Yield ``steps`` with half of them left out, then a quarter, … one, then without a fault."""
    size = len(steps) // 2
    while size:
        for start in range(0, len(steps), size):
            yield steps[:start] + steps[start + size :]
        size //= 2
    for number, step in enumerate(steps):
        for plain in ({"fault": None, "meanwhile": None}, {"amount": 0}, {"pick": 0}):
            simpler = replace(step, **plain)
            if simpler != step and (step.verb != "tick" or "amount" not in plain):
                yield (*steps[:number], simpler, *steps[number + 1 :])


def _violation(plan: Plan) -> Violation | None:
    try:
        play(plan)
    except Violation as exc:
        return exc
    return None

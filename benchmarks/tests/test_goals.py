"""Whether what had to be reached was reached."""

from __future__ import annotations

import pytest

from benchmarks import goals
from benchmarks.goals import Judgement
from benchmarks.lines import comparisons
from benchmarks.tests.made import line


def judged(measure: str, *lines: dict[str, object]) -> list[Judgement]:
    found = goals.judge({one.key: one for one in comparisons(lines)})
    return [one for one in found if one.goal.measure == measure]


def test_a_ratio_is_taken_of_each_repetition() -> None:
    lines = [
        line(name, repetition=number, figures={"drain_per_s": rate})
        for name, rates in {"chronos": (1000.0, 4000.0), "bullmq-history": (2000.0, 2000.0)}.items()
        for number, rate in enumerate(rates, start=1)
    ]

    [found] = judged("S1 drain", *lines)

    assert found.goal.peer == "bullmq-history"
    assert (found.measured.low, found.measured.high) == (0.5, 2.0)
    assert found.reached


@pytest.mark.parametrize(("seconds", "reached"), [(0.9, True), (1.1, False)])
def test_a_bound_needs_no_peer(seconds: float, reached: bool) -> None:
    [found] = judged("S1 CPU for 1 000, all parts", line(figures={"cpu.sum": seconds}))

    assert found.theirs is None
    assert found.reached is reached


def test_a_goal_without_its_peer_is_not_judged() -> None:
    assert judged("S1 drain", line(figures={"drain_per_s": 1.0})) == []


def test_two_sizes_of_the_same_contender_can_be_compared() -> None:
    lines = [
        line(scenario="S4", label=f"{count} schedules", figures={"cpu_pct": percent})
        for count, percent in {"1 000": 5.0, "1 000 000": 10.0}.items()
    ]

    [found] = judged("S4 CPU at 1 000 000 to 1 000", *lines)

    assert found.measured.median == 2.0
    assert not found.reached


def test_what_others_disturbed_is_told() -> None:
    quiet, noisy = (line(figures={"cpu.sum": 0.5}, noisy=noisy) for noisy in (False, True))

    assert not judged("S1 CPU for 1 000, all parts", quiet)[0].disturbed
    assert judged("S1 CPU for 1 000, all parts", noisy)[0].disturbed

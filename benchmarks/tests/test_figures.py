"""Percentiles, ranges, ratios, and how numbers are written."""

from __future__ import annotations

import pytest

from benchmarks import figures
from benchmarks.figures import Range


@pytest.mark.parametrize(("percent", "value"), [(0, 1), (50, 51), (99, 100), (100, 101)])
def test_a_percentile_is_the_value_at_the_nearest_rank(percent: float, value: float) -> None:
    values = [float(number) for number in range(101, 0, -1)]

    assert figures.percentile(values, percent) == value


def test_a_percentile_of_nothing_is_an_error() -> None:
    with pytest.raises(ValueError, match="nothing"):
        figures.percentile([], 50)


def test_latencies_are_told_in_milliseconds() -> None:
    assert figures.milliseconds([0.001, 0.002, 0.0034567]) == {
        "p50": 2.0,
        "p95": 3.46,
        "p99": 3.46,
        "max": 3.46,
        "n": 3,
    }
    assert figures.milliseconds([]) == {"n": 0}


def test_a_range_shows_its_middle_and_its_ends() -> None:
    assert str(Range.of([1313.4, 1211.0, 1350.0])) == "1 313 [1 211-1 350]"
    assert str(Range.of([0.94])) == "0.94"


def test_ratios_compare_what_ran_in_the_same_repetition() -> None:
    ours, theirs = {1: 10.0, 2: 30.0, 3: 5.0}, {1: 20.0, 2: 10.0, 4: 1.0}

    assert figures.ratios(ours, theirs) == [0.5, 3.0]


def test_a_ratio_to_zero_is_left_out() -> None:
    assert figures.ratios({1: 1.0}, {1: 0.0}) == []


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (0.94449, "0.944"), (12.345, "12.3"), (99.96, "100"), (1234567, "1 234 567")],
)
def test_a_number_has_three_digits_that_count(value: float, text: str) -> None:
    assert figures.number(value) == text

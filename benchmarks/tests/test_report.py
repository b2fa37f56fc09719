"""The page that is written from the lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks import report
from benchmarks.lines import comparisons
from benchmarks.tests.made import line

if TYPE_CHECKING:
    from benchmarks.lines import Line


def page(*lines: Line) -> str:
    return report.text(comparisons(lines), {})


def test_a_row_holds_medians_and_ranges() -> None:
    lines = [
        line(repetition=number, figures={"drain_per_s": rate, "cpu.sum": 0.5})
        for number, rate in enumerate((900.0, 1000.0, 1200.0), start=1)
    ]

    written = page(*lines)

    assert "| contender | runs | drain/s | CPU s/1 000 |" in written
    assert "| Chronos | 3 | 1 000 [900-1 200] | 0.5 |" in written


def test_the_goals_come_first_with_ratio_and_date() -> None:
    lines = [
        line("chronos", figures={"drain_per_s": 1500.0}),
        line("celery", figures={"drain_per_s": 1000.0}),
    ]

    written = page(*lines)

    assert "| S1 drain | ≥ 1.5 x celery | 1 500 | 1 000 | **1.5** | yes | 2027-06-15 |" in written


def test_a_peer_that_was_not_measured_is_named_with_the_reason() -> None:
    lines = [line(figures={"drain_per_s": 1.0}), line("bullmq", error="no Node.js", repetition=0)]

    assert "- BullMQ: not measured: no Node.js" in page(*lines)


def test_a_disturbed_row_is_marked() -> None:
    written = page(line(figures={"drain_per_s": 1.0}, noisy=True))

    assert "| Chronos ! | 1 | 1 |" in written


def test_a_scenario_shows_its_plot() -> None:
    found = comparisons([line(figures={"drain_per_s": 1.0})])

    assert "](performance/s1.svg)" in report.text(found, {"S1": "performance"})


def test_a_comparison_tells_what_others_used_meanwhile() -> None:
    lines = [line(repetition=n, figures={"foreign_pct": 10.0 * n}) for n in (1, 2, 3)]

    assert "others used 20 [10-30] % of a core" in page(*lines)

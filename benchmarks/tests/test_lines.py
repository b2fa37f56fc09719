"""Which of the result lines count."""

from __future__ import annotations

from benchmarks.lines import Key, comparisons
from benchmarks.tests.made import line

FIRST, SECOND, THIRD = (f"2027-06-{day} 12:00:00" for day in (15, 16, 17))


def test_the_newest_session_counts() -> None:
    lines = [
        line(name, session=session, figures={"drain_per_s": rate})
        for session, rate in ((FIRST, 1.0), (SECOND, 2.0))
        for name in ("chronos", "celery")
    ]

    [found] = comparisons(lines)

    assert found.session["session"] == SECOND
    assert found.series["chronos"].values("drain_per_s") == {1: 2.0}


def test_a_session_beside_a_peer_counts_before_a_newer_one_alone() -> None:
    lines = [
        line("chronos", session=FIRST, figures={"drain_per_s": 1.0}),
        line("celery", session=FIRST, figures={"drain_per_s": 1.0}),
        line("chronos", session=SECOND, figures={"drain_per_s": 2.0}),
        line("celery", session=THIRD, figures={"drain_per_s": 3.0}),
    ]

    assert comparisons(lines)[0].session["session"] == FIRST


def test_sizes_with_a_label_are_compared_apart() -> None:
    lines = [line(scenario="S4", label=label, figures={}) for label in ("1 000", "10 000")]

    assert [one.key for one in comparisons(lines)] == [Key("S4", "1 000"), Key("S4", "10 000")]


def test_a_repetition_that_was_disturbed_gives_way_to_a_quiet_one() -> None:
    lines = [
        line(figures={"drain_per_s": 1.0}, noisy=True),
        line(figures={"drain_per_s": 2.0}),
        line(repetition=2, figures={"drain_per_s": 3.0}, noisy=True),
    ]

    series = comparisons(lines)[0].series["chronos"]

    assert series.values("drain_per_s") == {1: 2.0}
    assert not series.disturbed


def test_if_all_were_disturbed_they_count_and_are_marked() -> None:
    lines = [line(figures={"drain_per_s": 1.0}, noisy=True)]

    series = comparisons(lines)[0].series["chronos"]

    assert series.values("drain_per_s") == {1: 1.0}
    assert series.disturbed


def test_a_contender_that_was_not_measured_says_why() -> None:
    lines = [line("bullmq", repetition=0, error="not measured: no node")]

    assert comparisons(lines)[0].series["bullmq"].error == "not measured: no node"

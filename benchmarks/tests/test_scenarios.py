"""What scenarios make of records: rhythm, lateness, losses."""

from __future__ import annotations

import pytest

from benchmarks.records import Record
from benchmarks.scenarios import punctuality, recovery, scale
from benchmarks.scenarios.recovery import Kill
from benchmarks.scenarios.scale import Grid


def started(index: int, at: float, submitted: float = 0.0) -> Record:
    return Record(index, 1, submitted, at, at)


def test_a_rhythm_tells_gaps_drift_and_missed_ticks() -> None:
    told = punctuality.rhythm([10.0, 11.01, 12.02, 14.04], [0.0] * 4)

    assert told["drift"] == pytest.approx(40 / 3)
    assert told["gap.max"] == pytest.approx(1020)
    assert told["missed"] == 1
    assert "late.p50" not in told


def test_lateness_counts_from_the_slot_that_is_named() -> None:
    told = punctuality.rhythm([10.25, 11.25, 12.5], [10.0, 11.0, 12.0])

    assert (told["late.p50"], told["late.max"]) == (250, 500)


def test_turns_of_a_schedule_are_counted_where_no_slot_is_named() -> None:
    grid = Grid(first=100.0, every=20)
    records = [started(0, 120.5), started(0, 100.25), started(50, 101.5), started(-7, 101.0)]

    assert scale.lateness(records, grid, (100.0, 121.0)) == [0.25, 0.5, 0.5]
    assert scale.lateness(records, grid, (110.0, 121.0)) == [0.5]


def test_a_stall_is_the_longest_gap() -> None:
    assert scale.longest_gap([1.0, 1.5, 4.0, 4.1]) == 2.5
    assert scale.longest_gap([1.0]) == 0.0


def test_lost_doubled_and_begun_again_are_told_apart() -> None:
    def begin(index: int, pid: int, at: float) -> Record:
        return Record(index, pid, 0.0, at, 0.0)

    def end(index: int, pid: int, at: float) -> Record:
        return Record(index, pid, 0.0, at - 0.05, at)

    seen = [begin(0, 8, 9.0), end(0, 8, 9.05), begin(1, 8, 9.1), begin(2, 9, 9.1)]
    kill = Kill(10.0, frozenset({8}), seen)
    after = [end(2, 9, 9.15), begin(1, 9, 15.0), end(1, 9, 15.05), end(1, 9, 16.0)]

    told = recovery.verdict([*seen, *after], kill, count=4)

    assert told == {
        "cut": 1,
        "lost": 1,
        "ended_twice": 1,
        "begun_twice": 1,
        "done_s": 6.0,
        "again_s": 5.0,
    }


def test_a_start_that_sql_does_not_know_is_unexplained() -> None:
    begins = [Record(index, 1, 0.0, 1.0, 0.0) for index in (0, 0, 1, 2)]

    assert recovery.unexplained(begins, {0: 2, 1: 1}) == 1

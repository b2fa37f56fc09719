"""Slots at a fixed distance: phase, arithmetic over any distance, and what is refused."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.triggers import Trigger, TriggerError, build
from jobs.triggers.base import FIRST, HORIZON
from jobs.triggers.interval import LONGEST_SECONDS

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
MOMENT = timedelta(microseconds=1)


def every(seconds: Any, anchor: Any = None) -> Trigger:
    return build({"type": "interval", "every_seconds": seconds, "anchor": anchor})


def test_slots_keep_the_phase_of_the_anchor() -> None:
    hourly = every(3600, NOON + timedelta(minutes=7, seconds=3))

    assert hourly.after(NOON) == NOON + timedelta(minutes=7, seconds=3)
    assert hourly.after(NOON + timedelta(days=400)) == NOON + timedelta(
        days=400, minutes=7, seconds=3
    )


def test_anchor_is_neither_a_start_nor_a_first_slot() -> None:
    daily = every(86_400, NOON)

    assert daily.after(NOON - timedelta(days=10)) == NOON - timedelta(days=9)


def test_without_an_anchor_the_phase_is_that_of_the_epoch() -> None:
    assert every(7).after(FIRST) == FIRST + 7 * SECOND
    assert every(3600).after(NOON + SECOND) == NOON + timedelta(hours=1)
    assert every(60.0).after(NOON) == NOON + 60 * SECOND


@settings(deadline=None, derandomize=True, database=None)
@given(
    seconds=st.integers(1, LONGEST_SECONDS),
    anchor=st.integers(0, 10**11),
    instant=st.integers(0, 10**11),
)
def test_after_and_before_enclose_every_instant(seconds: int, anchor: int, instant: int) -> None:
    start, at = FIRST + anchor * SECOND, FIRST + instant * SECOND / 2
    trigger = every(seconds, start)
    coming, last = trigger.after(at), trigger.at_or_before(at)

    assert coming is not None
    assert at < coming <= at + seconds * SECOND
    assert (coming - start) % (seconds * SECOND) == timedelta(0)
    assert last in (coming - seconds * SECOND, None)
    assert trigger.count(at, coming) == 1
    assert trigger.count(at, coming - MOMENT) == 0


@pytest.mark.parametrize("seconds", [1, 3600, LONGEST_SECONDS])
@pytest.mark.parametrize("anchor", [FIRST, NOON, HORIZON - SECOND])
def test_no_instant_overflows(seconds: int, anchor: datetime) -> None:
    trigger = every(seconds, anchor)
    dawn, doom = datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)

    assert trigger.after(doom) is trigger.after(HORIZON) is None
    assert trigger.at_or_before(dawn) is None
    assert FIRST <= (trigger.after(dawn) or HORIZON) < FIRST + seconds * SECOND
    assert HORIZON > (trigger.at_or_before(doom) or FIRST) >= HORIZON - seconds * SECOND
    assert trigger.count(doom, dawn) == 0


def test_a_year_of_seconds_is_counted_at_once() -> None:
    start = time.thread_time()

    assert every(1).count(NOON, NOON + timedelta(days=365)) == 31_536_000
    assert time.thread_time() - start < 0.1


@pytest.mark.parametrize(
    "seconds",
    [
        *[None, "60", "", "NaN", [], {}, True, False, 60j],
        *[0, -1, 0.5, 1.5, 60.001, 1e308, 10**400, LONGEST_SECONDS + 1],
        *[float("nan"), float("inf"), float("-inf")],
    ],
)
def test_what_is_no_interval_is_refused(seconds: object) -> None:
    with pytest.raises(TriggerError) as caught:
        every(seconds)

    assert (caught.value.field, caught.value.code) == ("every_seconds", "schedule.interval_invalid")


@pytest.mark.parametrize(
    "anchor",
    [
        "2026-06-01T12:00:00Z",
        1_780_000_000,
        NOON.date(),
        NOON.replace(tzinfo=None),
        FIRST - SECOND,
        HORIZON,
        datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14))),
        datetime(9999, 12, 31, 23, tzinfo=timezone(timedelta(hours=-12))),
    ],
)
def test_what_is_no_instant_is_refused_as_anchor_and_as_run_at(anchor: object) -> None:
    for schedule in (
        {"type": "interval", "every_seconds": 60, "anchor": anchor},
        {"type": "once", "run_at": anchor},
    ):
        with pytest.raises(TriggerError) as caught:
            build(schedule)

        assert caught.value.code == "schedule.instant_invalid"
        assert caught.value.field == list(schedule)[-1]

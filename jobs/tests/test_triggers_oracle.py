"""Every rule within bounds, in every zone, against slots that were found by looking at each."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.tests.wallclock import DAY, ZONES, Film, change_days
from jobs.triggers import Trigger, build
from jobs.triggers.walk import slots_between

if TYPE_CHECKING:
    from collections.abc import Sequence

YEARS = (2024, 2037)
SECOND = timedelta(seconds=1)
MOMENT = timedelta(microseconds=1)
WINDOW = 2 * 86_400  # seconds around a clock change that the oracles look at


def agree(trigger: Trigger, expected: Sequence[datetime], at: datetime, until: datetime) -> None:
    """Assert that ``trigger`` has exactly the slots ``expected``, asked in every way at ``at``."""
    behind = [slot for slot in expected if slot <= at]
    ahead = [slot for slot in expected if slot > at]

    assert trigger.after(at) == (ahead[0] if ahead else None)
    assert trigger.at_or_before(at) == (behind[-1] if behind else None)
    inside = [slot for slot in ahead if slot <= until]
    assert trigger.count(at, until) == len(inside)
    assert slots_between(trigger, at, until, limit=1_000_000) == inside


def start_of(zone: str, pick: int) -> datetime:
    """The first instant of two days in which the clocks of the zone change, if they ever do."""
    days = change_days(zone, *YEARS) or [date(2030, 6, 1)]
    day = days[pick % len(days)]
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


@settings(max_examples=150, deadline=None, derandomize=True, database=None)
@given(
    zone=st.sampled_from(ZONES),
    pick=st.integers(0, 100),
    hours=st.sets(st.integers(0, 23), min_size=1, max_size=6) | st.just(set(range(24))),
    minutes=st.sets(st.integers(0, 59), min_size=1, max_size=3),
    bounds=st.tuples(st.integers(0, WINDOW - 1), st.integers(1, WINDOW)),
    asked=st.tuples(st.integers(-3600, WINDOW), st.integers(0, WINDOW)),
)
def test_a_bounded_cron_expression_has_the_slots_of_the_film(
    zone: str,
    pick: int,
    hours: set[int],
    minutes: set[int],
    bounds: tuple[int, int],
    asked: tuple[int, int],
) -> None:
    day = start_of(zone, pick)
    low = day + bounds[0] * SECOND
    high = min(low + bounds[1] * SECOND, day + WINDOW * SECOND)
    film = Film.of(ZoneInfo(zone), day - DAY, day + 3 * DAY)
    all_slots = film.showing(hours, minutes) if len(hours) == 24 else film.named(hours, minutes)

    trigger = build(
        {
            "type": "cron",
            "cron": f"{_list(minutes)} {_list(hours)} * * *",
            "timezone": zone,
            "starts_at": low,
            "ends_at": high,
        }
    )

    at = day + asked[0] * SECOND
    expected = [slot for slot in all_slots if low <= slot < high]
    agree(trigger, expected, at, at + asked[1] * SECOND)


@settings(max_examples=150, deadline=None, derandomize=True, database=None)
@given(
    zone=st.sampled_from(ZONES),
    pick=st.integers(0, 100),
    every=st.integers(30, 100_000),
    anchor=st.integers(-10 * WINDOW, 10 * WINDOW),
    bounds=st.tuples(st.integers(0, WINDOW), st.integers(1, WINDOW)),
    asked=st.tuples(st.integers(-WINDOW, 2 * WINDOW), st.integers(0, WINDOW)),
)
def test_a_bounded_interval_has_the_slots_that_one_reaches_step_by_step(
    zone: str,
    pick: int,
    every: int,
    anchor: int,
    bounds: tuple[int, int],
    asked: tuple[int, int],
) -> None:
    day = start_of(zone, pick)
    low = day + bounds[0] * SECOND
    high, at = low + bounds[1] * SECOND, day + asked[0] * SECOND

    trigger = build(
        {
            "type": "interval",
            "every_seconds": every,
            "timezone": zone,
            "anchor": day + anchor * SECOND,
            "starts_at": low,
            "ends_at": high,
        }
    )

    expected = _stepped(day + anchor * SECOND, every * SECOND, low, high)
    agree(trigger, expected, at, at + asked[1] * SECOND)


def _stepped(slot: datetime, step: timedelta, low: datetime, high: datetime) -> list[datetime]:
    """Walk from ``slot`` to ``low``, whichever way that is, and on to ``high``."""
    while slot >= low:
        slot -= step
    found = []
    while slot < high:
        if slot >= low:
            found.append(slot)
        slot += step
    return found


@settings(max_examples=100, deadline=None, derandomize=True, database=None)
@given(
    run_at=st.integers(0, WINDOW),
    asked=st.tuples(st.integers(-WINDOW, 2 * WINDOW), st.integers(0, WINDOW)),
)
def test_once_has_one_slot(run_at: int, asked: tuple[int, int]) -> None:
    day = start_of("UTC", 0)
    at = day + asked[0] * SECOND
    trigger = build({"type": "once", "run_at": day + run_at * SECOND})

    agree(trigger, [day + run_at * SECOND], at, at + asked[1] * SECOND)


def _list(numbers: set[int]) -> str:
    return ",".join(str(number) for number in sorted(numbers))

"""Delays between attempts: their growth, their bounds, their spread."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from random import Random

import pytest

from lib import backoff

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DELAYS = [backoff.fixed, backoff.linear, backoff.exponential]


@pytest.mark.parametrize(
    ("delay", "minutes"),
    [
        (backoff.fixed, [1, 1, 1, 1, 1, 1, 1, 1]),
        (backoff.linear, [1, 2, 3, 4, 5, 6, 7, 8]),
        (backoff.exponential, [1, 2, 4, 8, 16, 32, 60, 60]),
    ],
)
def test_delays_grow_up_to_the_cap(delay: Callable[..., timedelta], minutes: list[int]) -> None:
    found = [delay(attempt, base=MINUTE, cap=HOUR) for attempt in range(1, 9)]

    assert found == [MINUTE * number for number in minutes]


@pytest.mark.parametrize("delay", DELAYS)
@pytest.mark.parametrize("attempt", [1, 2, 63, 64, 65, 1_025, 10**6, 10**400])
@pytest.mark.parametrize(
    ("base", "cap"),
    [
        (timedelta.resolution, timedelta.max),
        (timedelta.max, timedelta.max),
        (timedelta.max, MINUTE),
        (HOUR, MINUTE),
        (timedelta(0), HOUR),
        (-HOUR, HOUR),
        (HOUR, -HOUR),
        (timedelta.min, timedelta.min),
    ],
)
def test_no_delay_is_negative_or_above_its_cap_or_a_year(
    delay: Callable[..., timedelta], attempt: int, base: timedelta, cap: timedelta
) -> None:
    found = delay(attempt, base=base, cap=cap)

    assert timedelta(0) <= found <= max(timedelta(0), min(cap, backoff.LONGEST))


def test_a_ladder_is_climbed_rung_by_rung_and_its_last_rung_repeats() -> None:
    rungs = [MINUTE, 5 * MINUTE, 2 * MINUTE]

    found = [backoff.ladder(attempt, delays=rungs) for attempt in (1, 2, 3, 4, 10**400)]

    assert found == [MINUTE, 5 * MINUTE, 2 * MINUTE, 2 * MINUTE, 2 * MINUTE]


def test_no_rung_is_below_zero_or_longer_than_a_year() -> None:
    rungs = [-MINUTE, timedelta.max]

    assert backoff.ladder(1, delays=rungs) == timedelta(0)
    assert backoff.ladder(2, delays=rungs) == backoff.LONGEST
    with pytest.raises(ValueError, match="at least one rung"):
        backoff.ladder(1, delays=[])


@pytest.mark.parametrize("delay", DELAYS)
def test_attempts_count_from_1(delay: Callable[..., timedelta]) -> None:
    for attempt in (0, -1):
        with pytest.raises(ValueError, match="counts from 1"):
            delay(attempt, base=MINUTE, cap=HOUR)
        with pytest.raises(ValueError, match="counts from 1"):
            backoff.ladder(attempt, delays=[MINUTE])


def test_spread_delays_lie_evenly_between_nothing_and_the_whole() -> None:
    random = Random(1)
    tenths = [0] * 10
    for _ in range(10_000):
        tenths[int(backoff.spread(HOUR, random=random) / HOUR * 10)] += 1

    assert 900 < min(tenths) <= max(tenths) < 1_100


def test_one_seed_gives_one_delay() -> None:
    first, second = (backoff.spread(HOUR, random=Random(7)) for _ in range(2))

    assert first == second != backoff.spread(HOUR, random=Random(8))

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
    found = [delay(attempt, base=MINUTE, cap=HOUR, jitter=0) for attempt in range(1, 9)]

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
    for random in (Random(seed) for seed in range(5)):
        found = delay(attempt, base=base, cap=cap, jitter=0.5, random=random)

        assert timedelta(0) <= found <= max(timedelta(0), min(cap, backoff.LONGEST))


@pytest.mark.parametrize("delay", DELAYS)
def test_attempts_count_from_1(delay: Callable[..., timedelta]) -> None:
    given = {"base": MINUTE, "cap": HOUR}

    for attempt in (0, -1):
        with pytest.raises(ValueError, match="counts from 1"):
            delay(attempt, **given)


def test_jitter_spreads_around_the_delay_and_never_above_the_cap() -> None:
    random = Random(1)
    free = [backoff.fixed(1, base=MINUTE, cap=HOUR, random=random) for _ in range(500)]
    capped = [backoff.fixed(1, base=HOUR, cap=HOUR, random=random) for _ in range(500)]

    assert 54 <= min(free).total_seconds() < 55
    assert 65 < max(free).total_seconds() <= 66
    assert HOUR * 0.9 <= min(capped) < max(capped) == HOUR


def test_one_seed_gives_one_delay() -> None:
    first, second = (
        backoff.exponential(3, base=MINUTE, cap=HOUR, random=Random(7)) for _ in range(2)
    )

    assert first == second != backoff.exponential(3, base=MINUTE, cap=HOUR, random=Random(8))

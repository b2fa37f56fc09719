"""How long to wait between attempts: never below zero, never above the cap or a year."""

from __future__ import annotations

from datetime import timedelta
from random import Random

NO_DELAY = timedelta(0)
LONGEST = timedelta(days=365)

_MOST_DOUBLINGS = 64  # from a microsecond this is longer than half a million years
_RANDOM = Random()  # noqa: S311  spreads load, guards nothing


def exponential(
    attempt: int, *, base: timedelta, cap: timedelta, jitter: float = 0.1, random: Random = _RANDOM
) -> timedelta:
    """Return how long to wait after failed ``attempt`` before the next one.

    ``attempt`` counts from 1. The delay doubles each time, from ``base`` up to ``cap``, then
    moves by up to ``jitter`` (0.1 = ±10 %, never above ``cap``) so that executions that failed
    together do not come back together.

    Raises ``ValueError`` if ``attempt`` is below 1.
    """
    factor = 2.0 ** min(_checked(attempt) - 1, _MOST_DOUBLINGS)
    return _moved(_times(base, factor, cap), jitter, cap=cap, random=random)


def linear(
    attempt: int, *, base: timedelta, cap: timedelta, jitter: float = 0.1, random: Random = _RANDOM
) -> timedelta:
    """Return ``attempt`` times ``base``; apart from that like ``exponential``."""
    return _moved(_times(base, _checked(attempt), cap), jitter, cap=cap, random=random)


def fixed(
    attempt: int, *, base: timedelta, cap: timedelta, jitter: float = 0.1, random: Random = _RANDOM
) -> timedelta:
    """Return ``base`` for every attempt; apart from that like ``exponential``."""
    _checked(attempt)
    return _moved(_times(base, 1, cap), jitter, cap=cap, random=random)


def _checked(attempt: int) -> int:
    if attempt < 1:
        raise ValueError(f"attempt counts from 1, not {attempt}")
    return attempt


def _times(base: timedelta, factor: float, cap: timedelta) -> timedelta:
    """``base * factor`` within ``cap``, without ever computing what a timedelta cannot hold."""
    most = min(cap, LONGEST)
    if base <= NO_DELAY or most <= NO_DELAY:
        return NO_DELAY
    return most if factor >= most / base else base * factor


def _moved(delay: timedelta, jitter: float, *, cap: timedelta, random: Random) -> timedelta:
    moved = min(delay, LONGEST) * (1 + jitter * random.uniform(-1, 1))
    return max(NO_DELAY, min(moved, cap, LONGEST))

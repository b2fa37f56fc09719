"""How long to wait between attempts: never below zero, never above the cap or a year."""

from __future__ import annotations

from datetime import timedelta
from random import Random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

NO_DELAY = timedelta(0)
LONGEST = timedelta(days=365)

_MOST_DOUBLINGS = 64  # from a microsecond this is longer than half a million years
_RANDOM = Random()  # noqa: S311  spreads load, guards nothing


def exponential(attempt: int, *, base: timedelta, cap: timedelta) -> timedelta:
    """Return how long to wait after failed ``attempt`` before the next one.

    ``attempt`` counts from 1. The delay doubles each time, from ``base`` up to ``cap``.

    Raises ``ValueError`` if ``attempt`` is below 1.
    """
    return _times(base, 2.0 ** min(_checked(attempt) - 1, _MOST_DOUBLINGS), cap)


def linear(attempt: int, *, base: timedelta, cap: timedelta) -> timedelta:
    """Return ``attempt`` times ``base``; apart from that like ``exponential``."""
    return _times(base, _checked(attempt), cap)


def fixed(attempt: int, *, base: timedelta, cap: timedelta) -> timedelta:
    """Return ``base`` for every attempt; apart from that like ``exponential``."""
    _checked(attempt)
    return _times(base, 1, cap)


def ladder(attempt: int, *, delays: Sequence[timedelta]) -> timedelta:
    """Return the delay at rung ``attempt``, counted from 1; the last one repeats.

    Raises ``ValueError`` if ``attempt`` is below 1 or there is no rung.
    """
    if not delays:
        raise ValueError("a ladder has at least one rung")
    return _times(delays[min(_checked(attempt), len(delays)) - 1], 1, LONGEST)


def spread(delay: timedelta, *, random: Random = _RANDOM) -> timedelta:
    """Return any time between nothing and the whole of ``delay``, each as likely.

    What failed together comes back evenly over the whole delay and not in a second wave; see
    "Exponential Backoff and Jitter" in the AWS Architecture Blog.
    """
    return delay * random.random()


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

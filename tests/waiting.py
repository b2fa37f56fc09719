"""Waiting for something to become true, with an end."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

LOOK_SECONDS = 0.05


def eventually(check: Callable[[], T], *, within: float, what: object = "") -> T:
    """Return the first true value of ``check``; fail when there is none ``within`` seconds.

    ``what`` names what was waited for when the source of ``check`` would not tell.
    """
    deadline = time.monotonic() + within
    while True:
        value = check()
        if value:
            return value
        assert time.monotonic() < deadline, f"not within {within} s: {what or check!r}"
        time.sleep(LOOK_SECONDS)


def in_time(check: Callable[[], object], *, within: float) -> bool:
    """Say whether ``check`` became true ``within`` seconds."""
    deadline = time.monotonic() + within
    while not check():
        if time.monotonic() >= deadline:
            return False
        time.sleep(LOOK_SECONDS)
    return True

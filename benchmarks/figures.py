"""Statistics: percentiles of one repetition, median and range over several, ratios."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PERCENTS = (50, 95, 99)
WHOLE_FROM = 100  # numbers from here on are shown without decimals
DIGITS = 3


class Range(NamedTuple):
    """The middle of several repetitions, and their lowest and highest."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Range:
        """Raises ``ValueError`` if there are none."""
        if not values:
            raise ValueError("a range of nothing")
        return cls(statistics.median(values), min(values), max(values))

    def __str__(self) -> str:
        if self.low == self.high:
            return number(self.median)
        return f"{number(self.median)} [{number(self.low)}-{number(self.high)}]"


def percentile(values: Sequence[float], percent: float) -> float:
    """Return the value at the nearest rank. Raises ``ValueError`` if there are none."""
    if not values:
        raise ValueError("a percentile of nothing")
    return sorted(values)[round(percent / 100 * (len(values) - 1))]


def milliseconds(seconds: Sequence[float]) -> dict[str, float]:
    """Return p50, p95, p99 and max in milliseconds, and n; only n if there are no values."""
    if not seconds:
        return {"n": 0}
    told = {f"p{percent}": percentile(seconds, percent) for percent in PERCENTS}
    told |= {"max": max(seconds)}
    return {name: round(value * 1000, 2) for name, value in told.items()} | {"n": len(seconds)}


def ratios(ours: Mapping[int, float], theirs: Mapping[int, float]) -> list[float]:
    """Divide repetition by repetition: what ran in the same minutes is compared.

    Keys are the numbers of the repetitions; one that a side lacks, or of a zero, is left out.
    """
    return [ours[key] / theirs[key] for key in ours if theirs.get(key)]


def number(value: float) -> str:
    """Write ``value`` with three digits that count, large ones whole and in groups of three."""
    if abs(value) >= WHOLE_FROM:
        return f"{value:,.0f}".replace(",", " ")
    return f"{float(f'{value:.{DIGITS}g}'):g}"

"""Result lines, read back: which session counts for what, and the repetitions of one contender."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from benchmarks.figures import Range

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

Line = dict[str, Any]
OURS = "chronos"


class Key(NamedTuple):
    """What is compared side by side: a scenario, and the sizes or settings that ``label`` names."""

    scenario: str
    label: str


@dataclass
class Series:
    """The repetitions of one contender: figures by the number of the repetition.

    ``disturbed`` says that there is none that was not; ``error`` why there is none at all.
    """

    contender: str
    repetitions: dict[int, dict[str, float]] = field(default_factory=dict)
    disturbed: bool = False
    error: str = ""

    def values(self, figure: str) -> dict[int, float]:
        """The figure by repetition, where it was measured."""
        found = self.repetitions.items()
        return {number: told[figure] for number, told in found if figure in told}

    def range(self, figure: str) -> Range | None:
        values = list(self.values(figure).values())
        return Range.of(values) if values else None


@dataclass
class Comparison:
    """One key's series, all of one session, whose first line tells machine and settings."""

    key: Key
    session: Line
    series: dict[str, Series]


def read(path: Path) -> list[Line]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def comparisons(lines: Iterable[Line]) -> list[Comparison]:
    """Return the newest session that counts for each key.

    One that put Chronos beside a peer counts before one that measured Chronos alone.
    """
    sessions: dict[Key, dict[str, list[Line]]] = {}
    for line in lines:
        key = Key(line["scenario"], line["label"])
        sessions.setdefault(key, {}).setdefault(line["session"], []).append(line)
    return [_comparison(key, _newest(of_key)) for key, of_key in sorted(sessions.items())]


def _newest(sessions: dict[str, list[Line]]) -> list[Line]:
    def rank(name: str) -> tuple[bool, bool, str]:
        measured = {line["contender"] for line in sessions[name] if "figures" in line}
        return OURS in measured, len(measured) > 1, name

    return sessions[max(sessions, key=rank)]


def _comparison(key: Key, lines: list[Line]) -> Comparison:
    by_contender: dict[str, list[Line]] = {}
    for line in lines:
        by_contender.setdefault(line["contender"], []).append(line)
    told = {name: _series(name, some) for name, some in by_contender.items()}
    return Comparison(key, lines[0], told)


def _series(contender: str, lines: list[Line]) -> Series:
    """Take the repetitions that were not disturbed, or all if every one was."""
    measured = [line for line in lines if "figures" in line]
    quiet = [line for line in measured if not line["noisy"]]
    errors = [line["error"] for line in lines if "error" in line]
    return Series(
        contender,
        {line["repetition"]: line["figures"] for line in quiet or measured},
        disturbed=bool(measured and not quiet),
        error=errors[-1] if errors and not measured else "",
    )

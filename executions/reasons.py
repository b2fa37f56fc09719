"""Every reason that Chronos gives: its code, a sentence, what to do, and where it is described.

The API, the admin and ``docs/reasons.md`` have the same words, all from ``reason_table``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from executions.reason_table import FAMILIES

PAGE = "/reasons"

UNKNOWN = "{code}: a word of the job's own, or of a newer version of Chronos than this one."


@dataclass(frozen=True, slots=True)
class Reason:
    """A row: ``template`` is a sentence with ``{facts}`` to fill in, ``do`` may be empty."""

    code: str
    template: str
    do: str

    @property
    def link(self) -> str:
        return f"{PAGE}#{self.code}" if self.code in REASONS else PAGE


@dataclass(frozen=True, slots=True)
class Said:
    """A reason in one case: a stable word, the sentence with its facts, what to do, a link."""

    code: str
    sentence: str
    do: str
    link: str


ENDINGS = frozenset({"by", "why", "detail"})  # sentences end well without these


class _Facts(dict[str, Any]):
    """A fact that nobody knows leaves a gap, never an error."""

    def __missing__(self, name: str) -> str:
        return "" if name in ENDINGS else "\N{HORIZONTAL ELLIPSIS}"


REASONS: dict[str, Reason] = {row[0]: Reason(*row) for rows in FAMILIES.values() for row in rows}


def reason(code: str) -> Reason:
    """Return the row of ``code``; one that is not in the table gets words that say so."""
    return REASONS.get(code) or Reason(code, UNKNOWN, "Read the message and the log beside it.")


def say(code: str, **facts: Any) -> Said:
    """Say ``code`` with its ``facts``. Works for every code and any facts."""
    found = reason(code)
    sentence = found.template.format_map(_Facts(facts, code=code))
    return Said(code, sentence, found.do, found.link)


def document() -> str:
    """Return the text of ``docs/reasons.md``."""
    lines = [
        "# Reasons",
        "",
        "Why an execution exists, waits, ended, did not run or was tried again. The API, the admin",
        f"and the page `{PAGE}` have the same words.",
    ]
    for title, rows in FAMILIES.items():
        lines += ["", f"## {title}", "", "| code | means | do |", "|---|---|---|"]
        lines += [
            f'| <a id="{code}"></a>`{code}` | {_means(says)} | {do} |' for code, says, do in rows
        ]
    return "\n".join(lines) + "\n"


def pieces(template: str) -> list[str]:
    """Split ``template`` into text and the names of facts, in turns; text comes first."""
    return re.split(r"{(\w+)}", template)


def _means(template: str) -> str:
    return "*".join(pieces(template))

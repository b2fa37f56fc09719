"""The page: what had to be reached, then a table and a plot for each scenario."""

from __future__ import annotations

import json
import subprocess
import textwrap
from typing import TYPE_CHECKING, Any

from benchmarks import goals, lines
from benchmarks.contenders import CONTENDERS
from benchmarks.environments import ROOT, NotInstalledError, environment
from benchmarks.figures import Range, number
from benchmarks.tables import SECTIONS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from benchmarks.lines import Comparison
    from benchmarks.tables import Section

HEAD = """# Performance

Written by `make bench`, which measures Chronos beside its peers in one session on one machine, in
turns, with the same PostgreSQL and the same Valkey. **Ratios of one session are what counts**:
absolute numbers move with the machine, and differences under 30 % mean nothing where the range is
as wide. A cell is the median of the repetitions and their range. `!` marks what was measured while
others used more than 25 % of a core in every repetition: seconds and rates say little then.
"""
NOTHING = "-"
WIDTH = 100

METHOD = """## How it is measured

Each run has a fresh database (made anew, then copied) and an emptied Valkey, its own processes, and
20 jobs to warm up. Every job appends the same record (number, process, submitted, started, ended)
to a file. CPU is read from `/proc`, with children that have ended; the database's is all of
PostgreSQL's. Before a run of the full form it is waited for a quiet machine, and a run with over
25 % of a core of foreign load is repeated. Broker, database, workers and the submitting process
share the cores of the machine. Peers run at their defaults but for what their layout says, with
log level WARNING, as Chronos does; connections to PostgreSQL authenticate with SCRAM.
"""


def write(found: Sequence[Comparison], page: Path) -> None:
    """Write ``page``, and its plots into a folder beside it."""
    plots = page.with_suffix("")
    drawn = _draw(found, plots)
    page.write_text(text(found, dict.fromkeys(drawn, plots.name)))


def text(found: Sequence[Comparison], plots: Mapping[str, str]) -> str:
    """The page; ``plots`` is the folder of the plot of each scenario that has one."""
    parts = [HEAD, must_reach(found), METHOD, _versions(found)]
    for section in SECTIONS:
        here = [one for one in found if one.key.scenario == section.scenario]
        if here:
            parts.append(_section(section, here, plots.get(section.scenario, "")))
    return "\n".join(parts)


def _versions(found: Sequence[Comparison]) -> str:
    """Those of the newest session."""
    if not found:
        return ""
    newest = max((one.session for one in found), key=lambda line: str(line["session"]))
    told = ", ".join(f"{name} {version}" for name, version in newest["versions"].items())
    return textwrap.fill(f"Versions: {told}.", WIDTH, break_on_hyphens=False) + "\n"


def must_reach(found: Sequence[Comparison]) -> str:
    """The goals for which there are figures, as a table."""
    judgements = goals.judge({one.key: one for one in found})
    rows = [
        [
            one.goal.measure,
            str(one.goal),
            str(one.ours),
            str(one.theirs or NOTHING),
            f"**{one.measured}**" if one.theirs else NOTHING,
            ("yes" if one.reached else "**no**") + (" !" if one.disturbed else ""),
            one.session[:10],
        ]
        for one in judgements
    ]
    head = ["measure", "must be", "Chronos", "peer", "ratio", "reached", "date"]
    return f"## Must reach\n\n{_table(head, rows)}"


def _section(section: Section, found: Sequence[Comparison], plots: str) -> str:
    parts = [
        f"## {section.title}\n",
        textwrap.fill(section.text, WIDTH, break_on_hyphens=False) + "\n",
    ]
    if plots:
        parts.append(f"![{section.title}]({plots}/{file_name(section)})\n")
    for comparison in found:
        if comparison.key.label:
            parts.append(f"### {comparison.key.label}\n")
        parts.append(_comparison(section, comparison))
        parts.append(_session(comparison) + "\n")
    return "\n".join(parts)


def _comparison(section: Section, found: Comparison) -> str:
    """A row for each contender; columns that nobody has figures for are left out."""
    measured = [one for one in found.series.values() if one.repetitions]
    columns = [
        column for column in section.columns if any(one.values(column.figure) for one in measured)
    ]
    rows = [
        [
            f"{title(one.contender)}{' !' if one.disturbed else ''}",
            str(len(one.repetitions)),
            *(str(one.range(column.figure) or NOTHING) for column in columns),
        ]
        for one in measured
    ]
    table = _table(["contender", "runs", *(column.head for column in columns)], rows)
    failed = [one for one in found.series.values() if one.error]
    notes = [f"- {title(one.contender)}: not measured: {one.error}\n" for one in failed]
    layouts = [
        f"- {title(one.contender)}: {CONTENDERS[one.contender].layout}\n" for one in measured
    ]
    return table + "\n" + "".join(layouts + notes)


def title(contender: str) -> str:
    return CONTENDERS[contender].title if contender in CONTENDERS else contender


def file_name(section: Section) -> str:
    return section.scenario.lower().replace(" ", "-") + ".svg"


def _session(found: Comparison) -> str:
    """When and on what it was measured, and how much of a core others used meanwhile."""
    line = found.session
    facts = {**line["machine"], **line["settings"]}
    told = ", ".join(f"{name} {value}" for name, value in facts.items())
    sizes = ", ".join(f"{name} {number(value)}" for name, value in line["sizes"].items())
    runs = [run for one in found.series.values() for run in one.repetitions.values()]
    foreign = [run["foreign_pct"] for run in runs if "foreign_pct" in run]
    noise = f"others used {Range.of(foreign)} % of a core; " if foreign else ""
    when = f"{line['session']} UTC, {line['form']} form"
    words = f"*{when}; {noise}{told}; {sizes} (first contender).*"
    return textwrap.fill(words, WIDTH, break_on_hyphens=False)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    written = [f"| {' | '.join(row)} |\n" for row in [head, ["---"] * len(head), *rows]]
    return "".join(written)


def _draw(found: Sequence[Comparison], directory: Path) -> set[str]:
    """Draw a plot for each scenario in the environment of plots; return which were drawn."""
    try:
        python = environment("plots").bin / "python"
    except NotInstalledError as exc:
        print(f"no plots: {exc}")
        return set()
    directory.mkdir(exist_ok=True)
    drawn = set()
    for section in SECTIONS:
        here = [one for one in found if one.key.scenario == section.scenario]
        panels = [panel for panel in _panels(section, here) if panel["bars"]]
        if panels:
            told = {"file": str(directory / file_name(section)), "panels": panels}
            words = [str(python), "-m", "benchmarks.plot"]
            subprocess.run(words, input=json.dumps(told), text=True, cwd=ROOT, check=True)  # noqa: S603  our own
            drawn.add(section.scenario)
    return drawn


def _panels(section: Section, found: Sequence[Comparison]) -> list[dict[str, Any]]:
    return [
        {
            "title": column.head,
            "bars": [
                {
                    "name": f"{title(one.contender)} {comparison.key.label}".strip(),
                    "ours": one.contender.startswith(lines.OURS),
                    **told._asdict(),
                }
                for comparison in found
                for one in comparison.series.values()
                if (told := one.range(column.figure))
            ],
        }
        for column in section.plot
    ]

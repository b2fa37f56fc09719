"""``python -m benchmarks``: ``run`` measures and reports, ``report`` writes the page again."""

from __future__ import annotations

import argparse
import signal
import sys
from typing import TYPE_CHECKING

from benchmarks import lines, plans, report, session
from benchmarks.environments import ROOT
from embedded.errors import one_sentence

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.lines import Line

DOCS = ROOT / "docs" / "performance.md"


def main() -> None:
    words = _parser().parse_args()
    for each in (signal.SIGINT, signal.SIGTERM):  # an exit, on whose way everything is stopped
        signal.signal(each, lambda number, _: sys.exit(128 + number))
    with one_sentence():
        match words.command:
            case "run":
                form = plans.quick() if words.quick else plans.full(words.rows)
                form = plans.chosen(form, _names(words.scenarios), _names(words.only))
                if words.repetitions:
                    form = form._replace(repetitions=words.repetitions)
                if words.hurry:
                    form = form._replace(quiet_seconds=0, again=0)
                name = session.hold(form)
                if form.name == plans.FULL:
                    _write_docs()
                else:
                    _write_latest(name)
            case "report":
                _write_docs()


def _write_docs() -> None:
    """Write the page from all sessions that measured every contender."""
    found = lines.read(session.results())
    _write([line for line in found if line["form"] == plans.FULL], DOCS)


def _write_latest(name: str) -> None:
    """Write a page from one session alone, beside its lines."""
    results = session.results()
    found = [line for line in lines.read(results) if line["session"] == name]
    _write(found, results.with_name("latest.md"))


def _write(found: list[Line], page: Path) -> None:
    compared = lines.comparisons(found)
    report.write(compared, page)
    print(f"\n{report.must_reach(compared)}\nwritten: {page}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="measure, then write the page")
    run.add_argument("scenarios", nargs="?", default="", help="for example S1 or S1,S3")
    run.add_argument("--only", default="", help="contenders, for example chronos,celery")
    run.add_argument("--quick", action="store_true", help="three minutes: the nearest peers, once")
    run.add_argument("--rows", type=int, default=plans.MILLION, help="the history of S5")
    run.add_argument("--repetitions", type=int, default=0)
    run.add_argument("--hurry", action="store_true", help="neither wait for quiet nor repeat")
    commands.add_parser("report", help="write the page again from the lines that there are")
    return parser


def _names(text: str) -> set[str]:
    return {name.strip() for name in text.split(",") if name.strip()}


if __name__ == "__main__":
    main()

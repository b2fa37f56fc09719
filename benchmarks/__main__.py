"""``python -m benchmarks``: ``run`` measures and reports, ``report`` writes the page again."""

from __future__ import annotations

import argparse
import contextlib
import signal
import sys
from typing import TYPE_CHECKING

from benchmarks import plans, report, session
from benchmarks.environments import ROOT
from embedded.errors import one_sentence

if TYPE_CHECKING:
    from pathlib import Path

DOCS = ROOT / "docs" / "performance.md"


def main() -> None:
    words = _parser().parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that everything is stopped
    with one_sentence(), contextlib.suppress(KeyboardInterrupt):
        match words.command:
            case "run":
                form = plans.quick() if words.quick else plans.full()
                form = plans.chosen(form, _names(words.scenarios), _names(words.only))
                if words.repetitions:
                    form = form._replace(repetitions=words.repetitions)
                if words.hurry:
                    form = form._replace(quiet_seconds=0, again=0)
                session.hold(form)
                _report(DOCS if form.name == "full" else session.results().with_name("quick.md"))
            case "report":
                _report(DOCS)


def _report(page: Path) -> None:
    report.write(session.results(), page)
    print(f"written: {page}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="measure, then write the page")
    run.add_argument("scenarios", nargs="?", default="", help="for example S1 or S1,S3")
    run.add_argument("--only", default="", help="contenders, for example chronos,celery")
    run.add_argument("--quick", action="store_true", help="three minutes: the nearest peers, once")
    run.add_argument("--repetitions", type=int, default=0)
    run.add_argument("--hurry", action="store_true", help="neither wait for quiet nor repeat")
    commands.add_parser("report", help="write the page again from the lines that there are")
    return parser


def _names(text: str) -> set[str]:
    return {name.strip() for name in text.split(",") if name.strip()}


if __name__ == "__main__":
    main()

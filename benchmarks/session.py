"""A session: all visits of a form, their repetitions interleaved, one line of JSON for each run."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import psutil

from benchmarks import machine
from benchmarks.contenders import CONTENDERS
from benchmarks.environments import NotInstalledError, environment, home
from benchmarks.servers import Servers
from benchmarks.stand import Stand
from benchmarks.versions import versions

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.plans import Form, Run, Visit

FOREIGN_PCT = 25.0  # of one core; a run with more beside it is measured again


def results() -> Path:
    """The file that all sessions add their lines to."""
    return home() / "results.jsonl"


def hold(form: Form) -> str:
    """Measure everything in ``form``; return the name of the session, the instant it began."""
    session = _Session(form, datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S"))
    try:
        session.run()
    finally:
        session.servers.stop()
    return session.name


class _Session:
    def __init__(self, form: Form, name: str) -> None:
        self.form = form
        self.name = name
        self.servers = Servers()
        self._facts = {
            "session": name,
            "form": form.name,
            "machine": machine.describe(),
            "versions": versions(),
            "settings": self.servers.settings(),
        }

    def run(self) -> None:
        missing = self._install()
        for repetition in range(1, self.form.repetitions + 1):
            for visit in self.form.visits:
                if visit.contender not in missing:
                    self._visit(visit, repetition)

    def _install(self) -> set[str]:
        """Install what is wanted; a contender that cannot be is told of in lines of its own."""
        missing = set()
        for visit in self.form.visits:
            try:
                environment(CONTENDERS[visit.contender].group)
            except NotInstalledError as exc:
                missing.add(visit.contender)
                for run in visit.runs:
                    self._write(run, visit.contender, 0, error=f"not measured: {exc}")
        return missing

    def _visit(self, visit: Visit, repetition: int) -> None:
        """Make the runs of ``visit``, and once more those that others disturbed."""
        for _ in range(1 + self.form.again):
            if self.form.quiet_seconds:
                machine.wait_until_quiet(self.form.quiet_seconds, FOREIGN_PCT)
            if not self._stand(visit, repetition):
                return

    def _stand(self, visit: Visit, repetition: int) -> bool:
        """Make the runs on one stand; say whether any was disturbed."""
        disturbed = False
        contender = CONTENDERS[visit.contender]
        run = visit.runs[0]
        try:
            with Stand(contender, self.servers, contender.best if run.best else {}) as stand:
                for run in visit.runs:
                    figures = run.measure(stand, run.sizes)
                    noisy = figures.get("foreign_pct", 0.0) > FOREIGN_PCT
                    disturbed |= noisy
                    self._write(run, visit.contender, repetition, figures=figures, noisy=noisy)
        except Exception as exc:  # noqa: BLE001  the others go on; the line says what happened
            self._write(
                run, visit.contender, repetition, error=f"{type(exc).__name__}: {exc}"[:500]
            )
        return disturbed

    def _write(self, run: Run, contender: str, repetition: int, **told: Any) -> None:
        line = {
            "at": datetime.now(UTC).strftime("%H:%M:%S"),
            "scenario": run.scenario,
            "label": run.label,
            "contender": contender,
            "repetition": repetition,
            "sizes": run.sizes._asdict(),
            "load": psutil.getloadavg()[0],
            **told,
        }
        if "figures" in line:
            line["figures"] = {name: round(value, 3) for name, value in line["figures"].items()}
        with results().open("a") as file:
            file.write(json.dumps(self._facts | line) + "\n")
        print(_in_words(line), flush=True)


def _in_words(line: dict[str, Any]) -> str:
    head = f"{line['at']} {line['scenario']} {line['contender']} {line['label']}".strip()
    if "error" in line:
        return f"{head}: {line['error']}"
    told = " ".join(f"{name}={value:g}" for name, value in line["figures"].items())
    return f"{head}{' (disturbed)' if line['noisy'] else ''}: {told}"

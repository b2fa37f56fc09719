"""The table of all trials of a run, and the page that it becomes."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.crash.verdict import Verdict

PAGE = """\
# Reliability

What became of the promises under faults, written by `make test-crash N={size} SEED={seed}` on
{today:%Y-%m-%d}: {n} executions under {faults} faults, {broken}.

Each line is one fault on real processes while a load ran; *bit* says how the run proved that the
fault hit something. *Lost*: promised and not done. *Doubled*: two executions of a slot, or two
starts of what may start once. *Unexplained*: a second start while the end of the first was not
recorded. *Late*: an attempt that changed what others had ended. *Stuck*: left unfinished. All five
must be 0. *Recovery* is the time from the fault to the next start of what it interrupted (99th
percentile), *progress* the time from the end of the fault to the first start of anything; both in
seconds, with a lease of {lease} s. How they are measured stands in `tests/crash/verdict.py`, whose
own tests show it broken histories.

`make test-crash N=300` is more than 10 000 executions; without `N` it is a short run, which
`make test` makes as well, without writing this page. `make soak` lets random faults hit for an
hour.

| fault | N | bit | lost | doubled | unexplained | late | stuck | recovery p99 | first progress |
|---|--:|---|--:|--:|--:|--:|--:|--:|--:|
{rows}
"""


def size() -> int:
    """How many executions a trial is made of."""
    return int(os.environ.get("CHRONOS_CRASH_N", "20"))


def seed() -> str:
    return os.environ.get("CHRONOS_CRASH_SEED", "1")


@dataclass(frozen=True, slots=True)
class Row:
    """One fault: what it was, how it bit, and the verdict."""

    fault: str
    bit: str
    verdict: Verdict

    def __str__(self) -> str:
        verdict = self.verdict
        violations = (
            verdict.lost,
            verdict.duplicates,
            verdict.unexplained_starts,
            verdict.late_writes,
            verdict.stuck,
        )
        cells = [
            self.fault,
            str(verdict.n),
            self.bit,
            *(str(len(one)) for one in violations),
            _seconds(verdict.recovery_p99),
            _seconds(verdict.first_progress),
        ]
        return f"| {' | '.join(cells)} |"


class Report:
    """Collects the rows of a run."""

    def __init__(self) -> None:
        self.rows: list[Row] = []

    def add(self, row: Row) -> None:
        self.rows.append(row)

    def write(self, path: Path, *, lease: int) -> None:
        """Write the page, with all rows in the order of their names."""
        path.write_text(page(self.rows, today=datetime.now(UTC).date(), lease=lease))


def page(rows: Sequence[Row], *, today: date, lease: int) -> str:
    broken = sum(not row.verdict.holds for row in rows)
    return PAGE.format(
        size=size(),
        seed=seed(),
        today=today,
        lease=lease,
        n=sum(row.verdict.n for row in rows),
        faults=len(rows),
        broken=f"{broken} of them broke a promise" if broken else "none broke a promise",
        rows="\n".join(str(row) for row in sorted(rows, key=lambda row: row.fault)),
    )


def _seconds(seconds: float | None) -> str:
    return "-" if seconds is None else f"{seconds:.1f}"


REPORT = Report()

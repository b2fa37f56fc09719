"""What processes have spent, as /proc tells it."""

from __future__ import annotations

import os
import subprocess
import sys

from benchmarks import accounting
from benchmarks.accounting import Meter, Process

BURN = "sum(range(8_000_000))"


def test_a_family_is_everybody_below_and_nobody_beside() -> None:
    table = {pid: Process(parent, 0.0, 0) for pid, parent in [(1, 0), (2, 1), (3, 2), (4, 1)]}

    assert accounting.family(table, [2]) == {2, 3}
    assert accounting.family(table, [2, 4, 99]) == {2, 3, 4}


def burn() -> None:
    """Compute in a child that ends."""
    subprocess.run([sys.executable, "-c", BURN], check=True)  # noqa: S603  our own words


def test_children_that_have_ended_are_counted() -> None:
    before = accounting.cpu([os.getpid()])

    burn()

    assert accounting.cpu([os.getpid()]) > before


def test_a_meter_tells_what_each_part_spent() -> None:
    meter = Meter(lambda: {"worker": [os.getpid()], "beat": []})

    burn()

    spent = meter.spent()
    assert spent["worker"] > 0
    assert spent["beat"] == 0
    assert meter.noise().keys() == {"foreign_pct", "steal_pct"}


def test_memory_that_is_shared_counts_once_in_pss() -> None:
    told = accounting.memory([os.getpid()])

    assert told.rss >= told.pss > 0

"""What processes and the machine have spent, from /proc: CPU, memory, and what others used."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

PROC = Path("/proc")
TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")
MIB = 2**20


class Process(NamedTuple):
    """``cpu`` in seconds, with that of its reaped children; ``rss`` in bytes."""

    parent: int
    cpu: float
    rss: int


class Machine(NamedTuple):
    """CPU seconds since its start that were used by anybody, and that its host took away."""

    busy: float
    stolen: float


class Memory(NamedTuple):
    """MiB of some processes: ``rss`` counts shared pages for each, ``pss`` once."""

    rss: float
    pss: float


def processes() -> dict[int, Process]:
    """Return every process of this machine by its pid."""
    table = {}
    for path in PROC.iterdir():
        if path.name.isdigit():
            try:
                table[int(path.name)] = _process((path / "stat").read_text(errors="replace"))
            except OSError:
                continue  # it ended meanwhile
    return table


def _process(stat: str) -> Process:
    fields = stat.rpartition(")")[2].split()  # a command name may hold anything before
    cpu = sum(map(int, fields[11:15])) / TICKS
    return Process(int(fields[1]), cpu, int(fields[21]) * PAGE)


def family(table: Mapping[int, Process], roots: Iterable[int]) -> set[int]:
    """Return those of ``roots`` that live, with their living descendants."""
    children: dict[int, list[int]] = {}
    for pid, process in table.items():
        children.setdefault(process.parent, []).append(pid)
    found: set[int] = set()
    left = [pid for pid in roots if pid in table]
    while left:
        pid = left.pop()
        found.add(pid)
        left += children.get(pid, [])
    return found


def cpu(roots: Iterable[int]) -> float:
    """Return the CPU seconds of the families of ``roots``."""
    table = processes()
    return sum(table[pid].cpu for pid in family(table, roots))


def memory(roots: Iterable[int]) -> Memory:
    """Return what the families of ``roots`` hold now."""
    table = processes()
    pids = family(table, roots)
    rss = sum(table[pid].rss for pid in pids)
    return Memory(rss / MIB, sum(map(_pss, pids)) / MIB)


def _pss(pid: int) -> int:
    try:
        lines = (PROC / str(pid) / "smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:")), 0)


def machine() -> Machine:
    values = [int(word) for word in (PROC / "stat").read_text().split("\n", 1)[0].split()[1:9]]
    user, nice, system, _idle, _wait, irq, softirq, steal = values
    return Machine((user + nice + system + irq + softirq) / TICKS, steal / TICKS)


class Meter:
    """Measures a stretch of time: CPU by part of the contender, and what others used meanwhile.

    ``parts`` tells the pids of each part whenever it is asked; they may change.
    """

    def __init__(self, parts: Callable[[], Mapping[str, Iterable[int]]]) -> None:
        self._parts = parts
        self._began = time.monotonic()
        self._machine = machine()
        self._ours = cpu([os.getpid()])
        self._before = self._cpu()

    def spent(self) -> dict[str, float]:
        """CPU seconds by part since the start."""
        now = self._cpu()
        return {name: now[name] - self._before.get(name, 0.0) for name in now}

    def noise(self) -> dict[str, float]:
        """Per cent of one core that others used since the start, and that the host took away."""
        wall = time.monotonic() - self._began
        now = machine()
        others = now.busy - self._machine.busy - (cpu([os.getpid()]) - self._ours)
        stolen = now.stolen - self._machine.stolen
        return {
            "foreign_pct": round(100 * max(0.0, others) / wall, 1),
            "steal_pct": round(100 * stolen / wall, 1),
        }

    def _cpu(self) -> dict[str, float]:
        return {name: cpu(pids) for name, pids in self._parts().items()}

"""Processes that run: who they are, how to stop them in order, and the file that remembers them.

The file lets somebody else than the parent stop them: the watchdog, or the next start.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from embedded.part import Part

FORCE_SECONDS = 5.0  # between the force signal and SIGKILL
POLL_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Running:
    """One process, recognised by its pid *and* the moment it began: pids are used again."""

    name: str
    pid: int
    born: str
    tier: int
    stop_signal: int
    force_signal: int
    grace: float

    @classmethod
    def of(cls, part: Part, pid: int) -> Running:
        return cls(
            name=part.name,
            pid=pid,
            born=born(pid) or "",
            tier=int(part.tier),
            stop_signal=int(part.stop_signal),
            force_signal=int(part.force_signal),
            grace=part.grace,
        )

    def alive(self) -> bool:
        return born(self.pid) == self.born

    def send(self, signum: int) -> None:
        """Signal the main process, if it is still the same one."""
        if self.alive():
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(self.pid, signum)

    def send_group(self, signum: int) -> None:
        """Signal the whole process group. Only right after the main process was seen alive."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signum)


def born(pid: int) -> str | None:
    """When process ``pid`` began, in any unit; ``None`` if there is none, or only its corpse."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None if Path("/proc/self/stat").exists() else _born_by_ps(pid)
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] in "ZX" else fields[19]


def _born_by_ps(pid: int) -> str | None:
    """For systems without /proc."""
    asked = subprocess.run(  # noqa: S603  a number
        ["/bin/ps", "-o", "stat=,lstart=", "-p", str(pid)],
        capture_output=True,
        text=True,
        check=False,
    )
    state, _, began = asked.stdout.strip().partition(" ")
    return began.strip() or None if state and not state.startswith("Z") else None


def stop_in_order(
    running: Iterable[Running],
    *,
    say: Callable[[Running, str], None] = lambda _running, _text: None,
    hurry: Callable[[], bool] = lambda: False,
) -> None:
    """Stop ``running`` tier by tier and return when none is left.

    ``say`` hears of each end. Once ``hurry()`` is true nobody is given time any more.
    """
    left = [one for one in running if one.alive()]
    for tier in sorted({one.tier for one in left}, reverse=True):
        members = [one for one in left if one.tier == tier]
        for one in members:
            one.send(one.stop_signal)
        _wait(members, hurry=hurry)
        _finish(members, say=say)


def _wait(members: list[Running], *, hurry: Callable[[], bool]) -> None:
    began = time.monotonic()
    while any(one.alive() and time.monotonic() - began < one.grace for one in members):
        if hurry():
            break
        time.sleep(POLL_SECONDS)


def _finish(members: list[Running], *, say: Callable[[Running, str], None]) -> None:
    """Force those that did not stop; take what is left of the process groups of those that did."""
    late = [one for one in members if one.alive()]
    for one in late:
        one.send_group(one.force_signal)
    deadline = time.monotonic() + FORCE_SECONDS
    while any(one.alive() for one in late) and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
    for one in members:
        one.send_group(signal.SIGKILL)
        say(one, "was forced to stop" if one in late else "stopped")


class Register:
    """The file that names what runs. Written at every start and end of a part."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def write(self, running: Iterable[Running]) -> None:
        fresh = self.path.with_suffix(".new")
        fresh.write_text(json.dumps([asdict(one) for one in running]))
        fresh.replace(self.path)

    def read(self) -> list[Running]:
        try:
            return [Running(**entry) for entry in json.loads(self.path.read_text())]
        except (FileNotFoundError, ValueError):
            return []

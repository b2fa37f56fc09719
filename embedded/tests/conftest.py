"""A stage: a supervisor with small parts, started as a user would, and gone after the test."""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from embedded.running import Register

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).resolve().parents[2]


def eventually(check: Callable[[], object], *, within: float = 15.0) -> None:
    """Wait until ``check()`` is true; fail after ``within`` seconds."""
    deadline = time.monotonic() + within
    while not check():
        assert time.monotonic() < deadline, f"not within {within} s"
        time.sleep(0.02)


class Stage:
    """What is on stage: ``act`` adds a part, ``start`` raises the curtain."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.log = directory / "log"
        self.log.touch()
        self._parts: list[dict[str, str]] = []
        self._processes: list[subprocess.Popen[bytes]] = []

    def act(self, name: str, body: str, *, tier: str = "WEB", grace: float = 5.0) -> None:
        self._parts.append({"name": name, "body": body, "tier": tier, "grace": str(grace)})

    def start(self) -> subprocess.Popen[bytes]:
        """Start the supervisor and wait until all parts were started."""
        before = self.text.count(" up\n")
        process = self.launch()
        eventually(lambda: self.text.count(" up\n") > before)
        return process

    def launch(self, output: int | None = None) -> subprocess.Popen[bytes]:
        """Start the supervisor; it writes to the log, or to the descriptor ``output``."""
        with self.log.open("ab") as log:
            process = subprocess.Popen(  # noqa: S603  our own module
                self.command(), cwd=ROOT, stdout=output or log, stderr=log
            )
        self._processes.append(process)
        return process

    def command(self) -> list[str]:
        """The command line that starts the parts as they are known by now."""
        (self.directory / "parts.json").write_text(json.dumps(self._parts))
        return [sys.executable, "-m", "embedded.tests.stage", str(self.directory)]

    @property
    def text(self) -> str:
        return self.log.read_text()

    @property
    def notes(self) -> list[str]:
        path = self.directory / "notes"
        return path.read_text().splitlines() if path.exists() else []

    def pid(self, name: str) -> int:
        """The pid of a part that runs now."""
        running = {one.name: one.pid for one in Register(self.directory / "running.json").read()}
        return running[name]

    def watchdog(self) -> int:
        """The pid of the watchdog that follows this stage; 0 while there is none."""
        register = str(self.directory / "running.json").encode()
        for entry in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                words = (entry / "cmdline").read_bytes().split(b"\0")
                if b"embedded.watchdog" in words and register in words:
                    return int(entry.name)
        return 0

    def processes(self) -> list[int]:
        """Every process that works in the directory: the parts and all their descendants."""
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                here = (entry / "cwd").readlink() == self.directory
                alive = " Z " not in (entry / "stat").read_text()
            except OSError:
                continue  # it ended while we looked, or belongs to somebody else
            if here and alive:
                found.append(int(entry.name))
        return found

    def clear(self) -> None:
        for process in self._processes:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=30)
        eventually(lambda: not self.processes())


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    made = Stage(tmp_path)
    yield made
    made.clear()

"""`make up` as a user sees it: the box, what a kill leaves, the second start."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from embedded import config, ports, web
from embedded.running import Register
from embedded.tests.conftest import ROOT, eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

START_SECONDS = 120.0  # a loaded machine; an idle one needs ten
PARTS = {"postgres", "redis", "web", "worker-io", "worker-compute", "beat-1", "beat-2", "flower"}
UNSET = re.compile(r"DATABASE_URL|REDIS_URL|DJANGO_.*|CHRONOS_.*|PYTEST_.*|MAKE.*")


class Installation:
    """A data directory with a port, and what was printed by its starts."""

    def __init__(self, directory: Path) -> None:
        self.data_dir = directory / "data"
        self.port = ports.free()
        self.log = directory / "log"
        self.process: subprocess.Popen[bytes] | None = None

    def up(self) -> str:
        """Start it, wait for the box, and return what this start printed."""
        before = len(self.log.read_text()) if self.log.exists() else 0
        kept = {name: value for name, value in os.environ.items() if not UNSET.fullmatch(name)}
        said = {"CHRONOS_DATA_DIR": str(self.data_dir), "CHRONOS_PORT": str(self.port)}
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "embedded", "up"],
                cwd=ROOT,
                env=kept | said,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        eventually(
            lambda: "Chronos is ready" in self.log.read_text()[before:], within=START_SECONDS
        )
        return self.log.read_text()[before:]

    def end(self, signum: signal.Signals) -> None:
        assert self.process
        self.process.send_signal(signum)
        self.process.wait(timeout=60)

    def pids(self) -> dict[str, int]:
        return {one.name: one.pid for one in Register(self.data_dir / "running.json").read()}

    def healthy(self) -> bool:
        return web.get(self.port, "/health/ready")[0] == 200


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    made = Installation(tmp_path)
    yield made
    made.end(signal.SIGTERM)


@pytest.mark.crash
def test_up_heals_ends_without_a_trace_and_starts_again(installation: Installation) -> None:
    first = installation.up()
    password = re.search(r"Password +(\S+) +\(shown only this once\)", first)
    assert password
    assert installation.pids().keys() == PARTS
    assert installation.healthy()

    postgres = installation.pids()["postgres"]
    os.kill(postgres, signal.SIGKILL)
    eventually(lambda: installation.pids().get("postgres", postgres) != postgres)
    eventually(installation.healthy, within=60)

    running = installation.pids()
    installation.end(signal.SIGKILL)
    second = installation.up()  # at once: it waits for the watchdog
    assert re.search(r"Password +as before", second)
    assert password[1] not in second
    assert not set(running.values()) & set(installation.pids().values())

    running = installation.pids()
    installation.end(signal.SIGTERM)
    assert installation.process
    assert installation.process.returncode == 0
    assert not any(Path(f"/proc/{pid}").exists() for pid in running.values())
    assert "stopped; the data stays in" in installation.log.read_text()
    assert password[1] not in str(config.dotenv(installation.data_dir / "env"))

"""PostgreSQL and Valkey for one test run: on loopback, gone at the end."""

from __future__ import annotations

import atexit
import os
import secrets
import shutil
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from embedded import engines, ports, postgres, servers, valkey
from embedded.child import Child
from embedded.errors import StartError
from embedded.running import Register, stop_in_order
from embedded.watchdog import Watchdog

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from embedded.part import Part

WAIT_SECONDS = 60.0


class ThrowAway:
    """Servers that end with this process, also when it is killed."""

    def __init__(self) -> None:
        self.directory = Path(tempfile.mkdtemp(prefix="chronos-test-"))
        self._password = secrets.token_hex(16)
        self._register = Register(self.directory / "running.json")
        self._watchdog = Watchdog(self._register.path, delete=self.directory)
        self._children: list[Child] = []
        atexit.register(self.stop)

    def postgres(self, settings: Mapping[str, str] = postgres.THROW_AWAY) -> str:
        """Start PostgreSQL, by default without durability; return its URL once it answers."""
        engine = engines.postgres(os.environ.get("CHRONOS_EMBEDDED", ""))
        directory = self.directory / engine.directory
        cluster = postgres.cluster(engine, directory, self._password, options=("--no-sync",))
        port = ports.free()
        url = cluster.url(port, self._password)
        self._start(cluster.part(port, settings), servers.postgres_version, url)
        return url

    def redis(self) -> str:
        """Start Valkey; return its URL, of database 0 of 64, once it answers."""
        engine = engines.redis(os.environ.get("CHRONOS_EMBEDDED", ""))
        directory = self.directory / engine.directory
        port = ports.free()
        lines = valkey.THROW_AWAY
        part = valkey.part(engine, directory, port=port, password=self._password, lines=lines)
        url = f"redis://:{self._password}@{ports.LOOPBACK}:{port}/0"
        self._start(part, servers.redis_version, url)
        return url

    def start(self, part: Part, environment: Mapping[str, str]) -> Child:
        """Start ``part`` beside the servers; like them it ends with this process."""
        child = Child(part, environment, on_line=_ignore_line, on_exit=_ignore_exit)
        self._children.append(child)
        self._register.write(one.running for one in self._children)
        return child

    def stop(self) -> None:
        """Stop what runs and delete what it wrote. Nothing in it is worth an orderly end."""
        atexit.unregister(self.stop)
        stop_in_order((child.running for child in self._children), hurry=lambda: True)
        self._children.clear()
        self._register.write([])
        self._watchdog.dismiss()  # it deletes the directory
        shutil.rmtree(self.directory, ignore_errors=True)

    def _start(self, part: Part, version: Callable[[str], tuple[int, ...]], url: str) -> None:
        child = self.start(part, os.environ)
        deadline = time.monotonic() + WAIT_SECONDS
        while not servers.answers(version, url):
            if child.status is not None or time.monotonic() > deadline:
                raise StartError(f"{part.name} did not start:\n" + "\n".join(child.lines))
            time.sleep(0.02)


def _ignore_line(_name: str, _line: str) -> None:
    """The last lines are kept by the child."""


def _ignore_exit(_child: Child) -> None:
    """A test that needs the server will say so."""

"""Real beats and workers for tests: processes on the test's database and broker."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import connection

from executions.models import Beat, Worker
from tests.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

ROOT = Path(settings.BASE_DIR)
START_SECONDS = 60  # these machines are shared; a start that takes this long has failed


def database_url() -> str:
    """The URL of the test's database, which is not the one that the settings began with."""
    at = connection.settings_dict
    account = f"{at['USER']}:{at['PASSWORD']}"
    if at["HOST"].startswith("/"):
        host = at["HOST"].replace("/", "%2F")
        return f"postgres://{account}@{host}:{at['PORT'] or ''}/{at['NAME']}"
    return f"postgres://{account}@{at['HOST']}:{at['PORT']}/{at['NAME']}"


@dataclass
class Stack:
    """Starts parts of the platform and ends them, gently or not."""

    env: dict[str, str] = field(default_factory=dict)
    parts: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def worker(self, fleet: str, *, slots: int = 2) -> subprocess.Popen[bytes]:
        """Start a worker of ``fleet`` and wait until it is ready."""
        known = set(Worker.objects.values_list("pk", flat=True))
        pool = "threads" if fleet == "io" else "prefork"
        part = self._start(
            ["worker", "--pool", pool, "--concurrency", str(slots), "-n", f"{fleet}@%h"],
            {
                "CHRONOS_FLEET": fleet,
                "CHRONOS_DB_POOL_SIZE": "4" if fleet == "io" else "0",
            },
        )
        self._wait(part, lambda: Worker.objects.exclude(pk__in=known).exists())
        return part

    def beat(self, name: str) -> subprocess.Popen[bytes]:
        """Start a beat and wait until it has ticked."""
        known = set(Beat.objects.values_list("pk", flat=True))
        part = self._start(["beat", "--pidfile="], {"CHRONOS_BEAT_NAME": name})
        self._wait(part, lambda: Beat.objects.filter(name=name).exclude(pk__in=known).exists())
        return part

    def _start(self, command: list[str], env: dict[str, str]) -> subprocess.Popen[bytes]:
        log = tempfile.TemporaryFile()  # noqa: SIM115  closed with the process
        part = subprocess.Popen(
            [sys.executable, "-m", "celery", "-A", "chronos_project", *command],
            cwd=ROOT,
            env=os.environ | {"DATABASE_URL": database_url()} | self.env | env,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        part.log = log  # type: ignore[attr-defined]
        self.parts.append(part)
        return part

    def _wait(self, part: subprocess.Popen[bytes], ready: Callable[[], bool]) -> None:
        def is_ready() -> bool:
            assert part.poll() is None, self.output_of(part)
            return ready()

        eventually(is_ready, within=START_SECONDS)

    @staticmethod
    def output_of(part: subprocess.Popen[bytes]) -> str:
        log = part.log  # type: ignore[attr-defined]
        log.seek(0)
        text: str = log.read().decode(errors="replace")
        return text

    def kill(self, part: subprocess.Popen[bytes]) -> None:
        """End the part and all its children at once, as a host that loses power does."""
        os.killpg(part.pid, signal.SIGKILL)
        part.wait()

    def __enter__(self) -> Stack:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for part in self.parts:
            if error is not None:
                print(self.output_of(part)[-4000:])  # noqa: T201  pytest shows it with the failure
            if part.poll() is None:
                self.kill(part)
            part.log.close()  # type: ignore[attr-defined]

"""Real beats and workers for tests: processes on the test's database and broker."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import IO, TYPE_CHECKING

import psutil
from django.conf import settings
from django.db import connection

from executions.models import Beat, Worker
from tests.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
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
class Part:
    """A beat or a worker: its process, the name it has in the database, and what it wrote.

    A worker's name is also what ``Execution.worker`` says of what it runs, and every part's is the
    ``application_name`` of its connections.
    """

    name: str
    process: subprocess.Popen[bytes]
    log: IO[bytes]
    ready: Callable[[], bool] = field(repr=False, default=lambda: True)

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    @property
    def output(self) -> str:
        self.log.seek(0)
        return self.log.read().decode(errors="replace")

    def children(self) -> list[psutil.Process]:
        """Its living descendants; those of a compute worker begin with its pool children."""
        return psutil.Process(self.pid).children(recursive=True)

    def send(self, signum: int) -> None:
        """Signal the main process only."""
        os.kill(self.pid, signum)

    def kill(self) -> None:
        """End it and its process group at once, as a host that loses power does."""
        self._signal_group(signal.SIGKILL)
        self.process.wait()

    def freeze(self) -> None:
        """Stop it and its children where they are, as a host that is suspended does."""
        self._signal_group(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal_group(signal.SIGCONT)

    def terminate(self, *, within: float) -> int:
        """Ask it to stop in order; return its exit status, fail when it takes too long.

        One that hangs is aborted, so that its output ends with where it hung.
        """
        self.send(signal.SIGTERM)
        try:
            return self.process.wait(timeout=within)
        except subprocess.TimeoutExpired:
            self.send(signal.SIGABRT)
            self.process.wait()
            raise AssertionError(f"{self.name} did not stop:\n{self.output[-4000:]}") from None

    def _signal_group(self, signum: int) -> None:
        """Also processes that left the group, as long as they are descendants."""
        family = self.children() if self.alive else []
        os.killpg(self.pid, signum)
        for one in family:
            if one.is_running():
                one.send_signal(signum)


@dataclass
class Stack:
    """Starts parts of the platform and ends them, gently or not.

    ``env`` is added to the environment of every part, for example ``DATABASE_URL`` and
    ``REDIS_URL`` of a proxy; that of a single part goes before it.
    """

    env: dict[str, str] = field(default_factory=dict)
    parts: list[Part] = field(default_factory=list)
    _numbers: count[int] = field(default_factory=lambda: count(1))

    def worker(self, fleet: str, *, slots: int = 2, env: Mapping[str, str] | None = None) -> Part:
        """Start a worker of ``fleet`` and wait until it is ready."""
        part = self.start_worker(fleet, slots=slots, env=env)
        self.wait([part])
        return part

    def beat(self, name: str = "", *, env: Mapping[str, str] | None = None) -> Part:
        """Start a beat and wait until it has ticked."""
        part = self.start_beat(name, env=env)
        self.wait([part])
        return part

    def start_worker(
        self, fleet: str, *, slots: int = 2, env: Mapping[str, str] | None = None
    ) -> Part:
        """Start a worker of ``fleet``; ``wait`` tells when it is ready."""
        name = f"{fleet}-{next(self._numbers)}@{socket.gethostname()}"
        pool = "threads" if fleet == "io" else "prefork"
        own = {"CHRONOS_FLEET": fleet, "CHRONOS_DB_POOL_SIZE": "4" if fleet == "io" else "0"}
        command = ["worker", "--pool", pool, "--concurrency", str(slots), "-n", name]
        part = self._start(name, command, own | dict(env or {}))
        part.ready = lambda: Worker.objects.filter(name=name, stopped_at=None).exists()
        return part

    def start_beat(self, name: str = "", *, env: Mapping[str, str] | None = None) -> Part:
        """Start a beat; ``wait`` tells when it is ready."""
        name = name or f"beat-{next(self._numbers)}"
        known = set(Beat.objects.values_list("pk", flat=True))
        part = self._start(
            name, ["beat", "--pidfile="], {"CHRONOS_BEAT_NAME": name} | dict(env or {})
        )
        part.ready = lambda: Beat.objects.filter(name=name).exclude(pk__in=known).exists()
        return part

    def wait(self, parts: Iterable[Part]) -> None:
        """Wait until all of ``parts`` are ready; they start side by side."""
        for part in parts:

            def is_ready(part: Part = part) -> bool:
                assert part.alive, part.output
                return part.ready()

            eventually(is_ready, within=START_SECONDS, what=f"{part.name} is ready")

    def kill(self, part: Part) -> None:
        """End the part and all its children at once, as a host that loses power does."""
        part.kill()

    def _start(self, name: str, command: list[str], env: dict[str, str]) -> Part:
        log = tempfile.TemporaryFile()  # noqa: SIM115  closed with the stack
        told = {"DATABASE_URL": database_url(), "CHRONOS_PROCESS": name, "PYTHONFAULTHANDLER": "1"}
        process = subprocess.Popen(
            [sys.executable, "-m", "celery", "-A", "chronos_project", *command],
            cwd=ROOT,
            env=os.environ | told | self.env | env,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        part = Part(name, process, log)
        self.parts.append(part)
        return part

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
                print(part.name, part.output[-4000:])  # noqa: T201  shown with the failure
            if part.alive:
                part.kill()
            part.log.close()

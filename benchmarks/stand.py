"""One contender on its stand: a fresh database, its processes, its client, and what they spend."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from benchmarks.accounting import Meter, family, processes
from benchmarks.client import Client
from benchmarks.environments import ROOT, environment, home
from benchmarks.records import VARIABLE, Records
from benchmarks.watch import Watch
from embedded.part import Part, Tier
from embedded.running import stop_in_order

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType

    from benchmarks.contenders.contender import Command, Contender
    from benchmarks.servers import Database, Servers
    from embedded.child import Child

KEPT = ("HOME", "LANG", "TMPDIR", "LD_LIBRARY_PATH")
WARM_UP = 20  # jobs, so that imports and connections are not measured
WARM_FROM = -1000  # their numbers
WARM_SECONDS = 60.0
NOTHING: Mapping[str, str] = MappingProxyType({})
STOP_SECONDS = 5.0


class StandError(Exception):
    """The contender does not do what it is here for."""


class Stand:
    """Everything of one run, below one folder. Ends all that it started."""

    def __init__(
        self, contender: Contender, servers: Servers, env: Mapping[str, str] = NOTHING
    ) -> None:
        self.contender = contender
        self.servers = servers
        self.workers: list[Child] = []
        self.beats: list[Child] = []
        self.others: list[Child] = []
        self._env = dict(env)
        self._environment = environment(contender.group)
        self._directory = home() / "run" / f"{contender.name}-{os.getpid()}"
        self._client: Client | None = None
        self._database: Database | None = None

    def __enter__(self) -> Stand:
        shutil.rmtree(self._directory, ignore_errors=True)
        self._directory.mkdir(parents=True)
        self.records = Records(self._directory / "records")
        self._database = self.servers.database(
            self.contender.schema or "empty", self._prepare_database
        )
        self.watch = Watch(self.contender, self.records, self._database)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is not None:
            self._tell_lines()
        if self._client:
            self._client.stop()
        self.end([*self.others, *self.beats, *self.workers])
        if self._database:
            self.servers.drop(self._database)
        shutil.rmtree(self._directory, ignore_errors=True)

    @property
    def client(self) -> Client:
        assert self._client is not None  # noqa: S101  who submits has staffed the stand
        return self._client

    @property
    def database(self) -> Database:
        assert self._database is not None  # noqa: S101  made when the stand was entered
        return self._database

    def staff(
        self, *, workers: int | None = None, slots: int | None = None, beats: int = 1
    ) -> None:
        """Start beats, workers and client, unless they run, and let some jobs run: all are warm."""
        if self._client:
            return
        if self.contender.beat:
            named = [f"beat-{number}" for number in range(beats)]
            self.beats += [self.start(self.contender.beat, name) for name in named]
        if self.contender.worker:
            for node in range(workers or self.contender.workers):
                self.add_worker(node, slots=slots)
        self.admit_client()
        self.warm_up()

    def add_worker(self, node: int | str, *, slots: int | None = None) -> Child:
        """Start a worker process that is called after its ``node``."""
        assert self.contender.worker is not None  # noqa: S101  asked for those that have one
        name = f"worker-{node}"
        child = self.start(self.contender.worker, name, node=name, slots=slots)
        self.workers.append(child)
        return child

    def admit_client(self, env: Mapping[str, str] = NOTHING) -> None:
        command = self.contender.client
        env = {**self._environment_of(command), **env}
        log = self._directory / "client.log"
        argv = self._filled(command.argv)
        self._client = Client(argv, env, directory=self._environment.directory, log=log)

    def warm_up(self) -> None:
        self.client.call("burst", WARM_UP, WARM_FROM)
        if not self.watch.until_finished(WARM_UP, WARM_SECONDS):
            raise StandError("the first jobs did not run")
        time.sleep(0.5)  # what follows an end: acknowledgements, results

    def start(
        self,
        command: Command,
        name: str,
        *,
        node: str = "node",
        slots: int | None = None,
        port: int = 0,
    ) -> Child:
        part = Part(
            name=name,
            argv=tuple(self._filled(command.argv, node=node, slots=slots, port=port)),
            tier=Tier.WORKER,
            env=self._environment_of(command, slots=slots),
            cwd=str(self._environment.directory),
            grace=STOP_SECONDS,
        )
        return self.servers.start(part, {})

    def end(self, children: Iterable[Child]) -> None:
        """Stop ``children`` and all that descends from them, frozen or not."""
        told = list(children)
        left = family(processes(), [child.running.pid for child in told])
        _send(left, signal.SIGCONT)
        stop_in_order(child.running for child in told)
        _send(left - {child.running.pid for child in told}, signal.SIGKILL)

    def freeze(self) -> None:
        _send(family(processes(), self.worker_pids()), signal.SIGSTOP)

    def thaw(self) -> None:
        _send(family(processes(), self.worker_pids()), signal.SIGCONT)

    def worker_pids(self) -> list[int]:
        """The main processes of the workers; the client where it works itself."""
        if self.contender.worker is None and self._client:
            return [self._client.pid]
        return [child.running.pid for child in self.workers]

    def beat_pids(self) -> list[int]:
        return [child.running.pid for child in self.beats]

    def meter(self) -> Meter:
        """Start to measure what everybody spends."""
        return Meter(self._parts)

    def _parts(self) -> dict[str, list[int]]:
        works_itself = self.contender.worker is None
        client = [self._client.pid] if self._client and not works_itself else []
        return {
            "worker": self.worker_pids(),
            "beat": self.beat_pids(),
            "broker": [self.servers.redis_pid],
            "database": [self.servers.postgres_pid],
            "client": client,
        }

    def _prepare_database(self, made: Database) -> None:
        for command in self.contender.prepare:
            env = self._environment_of(command) | {"DATABASE_URL": made.url}
            subprocess.run(  # noqa: S603  our own command
                self._filled(command.argv),
                cwd=self._environment.directory,
                env=env,
                check=True,
                stdout=subprocess.DEVNULL,
            )

    def _environment_of(self, command: Command, *, slots: int | None = None) -> dict[str, str]:
        kept = {name: os.environ[name] for name in KEPT if name in os.environ}
        return {
            **kept,
            "PATH": f"{self._environment.bin}{os.pathsep}{os.environ.get('PATH', '')}",
            "PYTHONPATH": str(ROOT),
            "DATABASE_URL": self._database.url if self._database else "",
            "REDIS_URL": self.servers.redis_url,
            VARIABLE: str(self.records.path),
            "BENCH_SLOTS": str(slots or self.contender.slots),
            **self.contender.env,
            **self._env,
            **command.env,
        }

    def _filled(
        self, argv: Iterable[str], *, node: str = "node", slots: int | None = None, port: int = 0
    ) -> list[str]:
        values = {
            "bin": str(self._environment.bin),
            "node": node,
            "slots": str(slots or self.contender.slots),
            "port": str(port),
            "redis": self.servers.redis_url,
            "run": str(self._directory),
        }
        return [word.format(**values) for word in argv]

    def _tell_lines(self) -> None:
        """What the parts wrote last, for whoever looks why it went wrong."""
        log = self._directory / "client.log"
        if log.exists():
            print("".join(f"client: {line}\n" for line in log.read_text().splitlines()[-20:]))
        for child in (*self.others, *self.beats, *self.workers):
            for line in list(child.lines)[-20:]:
                print(f"{child.part.name}: {line}")


def _send(pids: Iterable[int], signum: signal.Signals) -> None:
    for pid in pids:
        try:
            os.kill(pid, signum)
        except ProcessLookupError:
            continue

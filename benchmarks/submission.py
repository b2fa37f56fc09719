"""How many executions the API accepts, beside the least that creates a row behind the same server.

``python -m benchmarks.submission [--seconds 5] [--repetitions 3]`` starts its own servers and
prints a line for each way, the middle and the range of the repetitions, which are interleaved.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import secrets
import subprocess
import sys
import threading
import time
from collections import defaultdict
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql

from benchmarks import figures, machine
from benchmarks.accounting import Meter
from benchmarks.environments import ROOT
from benchmarks.http_load import LOOPBACK, load, request_of
from benchmarks.servers import Servers
from embedded import config, ports, table
from embedded.part import Part, Tier
from embedded.running import stop_in_order

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from benchmarks.servers import Database
    from embedded.child import Child

PEERS = {
    "DJANGO_SETTINGS_MODULE": "benchmarks.apps.settings",
    "BENCH_POOL": "16",
    "BENCH_VIEW": "1",
}
CONNECTIONS = 8
BULK_CONNECTIONS = 4
BULK = 1_000  # starts in a request
WARM_SECONDS = 1.5
START_SECONDS = 60
EVERY = 0.05  # seconds between two looks of whoever stands in for the workers
ROW = json.dumps({"name": "nightly report", "payload": {"to": "ops", "n": 17}}).encode()
START = json.dumps({"payload": {"to": "ops", "n": 17}}).encode()
OURS = "chronos_project.asgi:application"
BARE, IN_THREADS = (f"benchmarks.apps.{name}:application" for name in ("bare", "bare_in_threads"))
CREATE = sql.SQL(
    "CREATE TABLE bare_row (id bigserial PRIMARY KEY, name varchar(100) NOT NULL,"
    " payload jsonb NOT NULL, created_at timestamptz NOT NULL)"
)
# In the place of workers, who would take the processor away from what is measured here.
FINISH = sql.SQL(
    "WITH done AS (UPDATE executions_execution SET status = 'succeeded', finished_at = now(),"
    " publish_at = NULL WHERE status = 'queued' RETURNING id) SELECT count(*) FROM done"
)
EMPTY = sql.SQL("TRUNCATE executions_execution, bare_row CASCADE")


@dataclass(frozen=True, slots=True)
class Way:
    """A way to create rows: its server's app, the request, how many rows each makes."""

    name: str
    app: str
    request: Callable[[], bytes]
    rows: int = 1
    connections: int = CONNECTIONS
    finished: bool = False
    """What is queued goes away, as with workers that keep up; else a crowd waits."""


class Stage:
    """Servers, a web server of each app, a beat; ended with the block."""

    def __enter__(self) -> Stage:
        self.servers = Servers()
        self.database = self.servers.database("submission", _prepare)
        self._ports: dict[str, int] = {}
        self._children: dict[str, Child] = {}
        self._env = os.environ | {
            "DATABASE_URL": self.database.url,
            "REDIS_URL": self.servers.redis_url,
            "CHRONOS_ENV": "development",
            "CHRONOS_LOG_LEVEL": "WARNING",
            "WEB_CONCURRENCY": "2",  # as `make up` has it
            "CHRONOS_SECRET_KEY": secrets.token_hex(32),
            "DJANGO_SETTINGS_MODULE": "chronos_project.settings",
        }
        self._parts = {part.name: part for part in _parts()}
        return self

    def __exit__(self, *_: object) -> None:
        stop_in_order([child.running for child in self._children.values()], hurry=lambda: True)
        self.servers.stop()

    def beat(self) -> None:
        self._start("beat", self._parts["beat-1"])

    def port(self, app: str) -> int:
        """Return the port of the web server of ``app``, started as `make up` starts ours."""
        if app not in self._ports:
            port = self._ports[app] = ports.free()
            web = self._parts["web"]
            changed = {OURS: app, web.argv[web.argv.index("--port") + 1]: str(port)}
            argv = tuple(changed.get(word, word) for word in web.argv)
            env = dict(web.env) | ({} if app == OURS else PEERS)
            self._start(app, Part("web", argv, Tier.WEB, env))
            _until(lambda: _answers(port))
        return self._ports[app]

    def pids(self, app: str) -> dict[str, list[int]]:
        """Who computes while ``app`` is measured."""
        told = {"web": [self._children[app].running.pid], "postgres": [self.servers.postgres_pid]}
        told |= {"redis": [self.servers.redis_pid]}
        return told | {"beat": [self._children["beat"].running.pid]}

    def _start(self, name: str, part: Part) -> None:
        self._children[name] = self.servers.start(part, self._env)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seconds", type=float, default=5)
    options.add_argument("--repetitions", type=int, default=3)
    options.add_argument("--only", default="", help="names of ways with commas between them")
    asked = options.parse_args()
    print(" · ".join(f"{name}: {value}" for name, value in machine.describe().items()))
    with Stage() as stage:
        print(" · ".join(f"{name}: {value}" for name, value in stage.servers.settings().items()))
        stage.beat()
        chosen = [way for way in ways(stage) if not asked.only or way.name in asked.only.split(",")]
        runs = defaultdict(list)
        for _ in range(asked.repetitions):
            for way in chosen:
                runs[way.name].append(measure(stage, way, asked.seconds))
        for name, results in runs.items():
            print(f"{name:24} {_told(results)}")


def ways(stage: Stage) -> list[Way]:
    """Our API and the peers behind the same server."""
    ours = OURS
    ask = Api(stage.port(ours))
    once = request_of(f"{ask.job}/execute", START, token=ask.token)
    lines = b"\n".join([START] * BULK)
    bulk = request_of(f"{ask.job}/executions", lines, kind="application/x-ndjson", token=ask.token)
    listed = b"[" + b",".join([START] * BULK) + b"]"
    as_list = request_of(f"{ask.job}/executions", listed, token=ask.token)
    plain, drf = request_of("/plain", ROW), request_of("/drf", ROW)
    return [
        Way("bare Django: its handler", BARE, lambda: plain),
        Way("bare DRF: its handler", BARE, lambda: drf),
        Way("bare Django", IN_THREADS, lambda: plain),
        Way("bare DRF", IN_THREADS, lambda: drf),
        Way("execute", ours, lambda: once, finished=True),
        Way("execute: a crowd waits", ours, lambda: once),
        Way("bulk: lines", ours, lambda: bulk, BULK, BULK_CONNECTIONS),
        Way("bulk: a list", ours, lambda: as_list, BULK, BULK_CONNECTIONS),
    ]


class Api:
    """Somebody who has signed up, and a job of theirs."""

    def __init__(self, port: int) -> None:
        self._port = port
        account = {"email": "bench@example.org", "password": secrets.token_urlsafe(16)}
        self.token = self._post("/api/v1/auth/register", account)["token"]
        made = self._post("/api/v1/jobs", {"name": "Bench", "kind": "noop"})
        self.job = f"/api/v1/jobs/{made['id']}"

    token = ""

    def _post(self, path: str, body: Any) -> Any:
        connection = http.client.HTTPConnection(LOOPBACK, self._port, timeout=10)
        headers = {"Content-Type": "application/json"}
        headers |= {"Authorization": f"Bearer {self.token}"} if self.token else {}
        connection.request("POST", path, json.dumps(body), headers)
        answer = connection.getresponse()
        told = answer.read()
        if answer.status >= http.client.BAD_REQUEST:
            raise SystemExit(f"{path}: {answer.status} {told[:500]!r}")
        return json.loads(told)


def measure(stage: Stage, way: Way, seconds: float) -> dict[str, float]:
    """Rows a second, waits in milliseconds, and CPU seconds by part for 1 000 rows."""
    port = stage.port(way.app)
    with _workers_stand_in(stage.database) if way.finished else _nobody():
        load(port, way.request, connections=way.connections, seconds=WARM_SECONDS)
        meter, began = Meter(lambda: stage.pids(way.app)), time.process_time()
        found = load(port, way.request, connections=way.connections, seconds=seconds)
    spent, rows = meter.spent(), len(found.waits) * way.rows
    spent["client"] = time.process_time() - began
    bad = {status: n for status, n in found.statuses.items() if status not in {201, 202}}
    if bad:
        raise SystemExit(f"{way.name} was answered {bad}")
    waits = figures.milliseconds(found.waits)
    told: dict[str, float] = {
        "per_s": rows / found.seconds,
        "p50": waits["p50"],
        "p99": waits["p99"],
    }
    told |= {name: 1000 * cpu / rows for name, cpu in spent.items()}
    _do(stage.database, EMPTY)
    stage.servers.redis.flushall()
    return told | meter.noise()


@contextmanager
def _workers_stand_in(database: Database) -> Iterator[None]:
    stop = threading.Event()

    def finish() -> None:
        while not stop.wait(EVERY):
            database.ask(FINISH)

    thread = threading.Thread(target=finish)
    thread.start()
    yield
    stop.set()
    thread.join()


@contextmanager
def _nobody() -> Iterator[None]:
    yield


def _prepare(database: Database) -> None:
    env = os.environ | {
        "DATABASE_URL": database.url,
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "CHRONOS_ENV": "development",
        "CHRONOS_SECRET_KEY": secrets.token_hex(32),
    }
    command = [sys.executable, "manage.py", "migrate", "--no-input", "-v", "0"]
    subprocess.run(command, env=env, cwd=ROOT, check=True)  # noqa: S603  our own command
    _do(database, CREATE)


def _do(database: Database, statement: sql.SQL) -> None:
    with psycopg.connect(database.url, autocommit=True) as connection:
        connection.execute(statement)


def _parts() -> list[Part]:
    named = dict.fromkeys(("FLOWER_PASSWORD", "FLOWER_COOKIE_SECRET"), "unused")
    return table.parts(config.read({}), named, flower_port=0)


def _answers(port: int) -> bool:
    try:
        http.client.HTTPConnection(LOOPBACK, port, timeout=5).request("GET", "/")
    except OSError:
        return False
    return True


def _until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not true():
        if time.monotonic() > deadline:
            raise SystemExit("a web server did not start")
        time.sleep(0.1)


def _told(results: list[dict[str, float]]) -> str:
    ranges = {name: figures.Range.of([one[name] for one in results]) for name in results[0]}
    parts = ("web", "postgres", "redis", "beat", "client")
    cpu = ", ".join(f"{name} {ranges[name].median:.3f}" for name in parts)
    return (
        f"{ranges['per_s']}/s; p50 {ranges['p50']}, p99 {ranges['p99']} ms;"
        f" CPU s for 1 000: {cpu}; others used {ranges['foreign_pct']} % of a core"
    )


if __name__ == "__main__":
    main()

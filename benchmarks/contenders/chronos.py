"""Chronos itself, from the same commands that `make up` starts."""

from __future__ import annotations

import secrets
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from psycopg import sql

from benchmarks.contenders.contender import Command, Contender
from benchmarks.environments import OWN
from embedded import config, table

if TYPE_CHECKING:
    from embedded.part import Part

ENV = {
    "CHRONOS_ENV": "development",
    "CHRONOS_SECRET_KEY": secrets.token_hex(32),
    "CHRONOS_APPS": "benchmarks.apps.chronos",
    "CHRONOS_LOG_LEVEL": "WARNING",  # as the peers
    "DJANGO_SETTINGS_MODULE": "chronos_project.settings",
}
CLIENT = Command((sys.executable, "-m", "benchmarks.apps.client", "benchmarks.apps.chronos.client"))
SETTLED = sql.SQL("SELECT count(*) FROM executions_execution WHERE status = 'succeeded'")
LEFT = sql.SQL(
    "SELECT count(*) FROM executions_execution"
    " WHERE status IN ('running', 'queued') AND (payload->'args'->>0)::int >= 0"
)
ATTEMPTS = sql.SQL(
    "SELECT (payload->'args'->>0)::int, attempt FROM executions_execution WHERE payload IS NOT NULL"
)
SPAN = sql.SQL(
    "SELECT extract(epoch FROM min(started_at))::float, extract(epoch FROM max(finished_at))::float"
    " FROM executions_attempt WHERE started_at > to_timestamp(%s)"
)


def parts() -> dict[str, Part]:
    """The parts of `make up` by their names."""
    named = dict.fromkeys(("FLOWER_PASSWORD", "FLOWER_COOKIE_SECRET"), "unused")
    return {part.name: part for part in table.parts(config.read({}), named, flower_port=0)}


def command(name: str, **options: str) -> Command:
    """The part ``name`` of `make up`, with the values of some command line ``options`` changed.

    ``concurrency="{slots}"`` stands for ``--concurrency``.
    """
    part = parts()[name]
    argv = list(part.argv)
    for option, value in options.items():
        flag = f"--{option}" if f"--{option}" in argv else f"-{option}"
        argv[argv.index(flag) + 1] = value
    return Command(tuple(argv), part.env)


CHRONOS = Contender(
    name="chronos",
    title="Chronos",
    layout="1 beat, 1 compute worker, prefork 2; full history",
    group=OWN,
    client=CLIENT,
    worker=command("worker-compute", n="{node}@%h", concurrency="{slots}"),
    beat=command("beat-1"),
    web=command("web", port="{port}"),
    ticks=True,
    scaler=command("beat-1"),
    prepare=(Command((sys.executable, "manage.py", "migrate", "--no-input", "-v", "0")),),
    schema="chronos",
    settled=SETTLED,
    left_running=LEFT,
    attempts=ATTEMPTS,
    backlog="submit_many",
    history="execution, attempt, result row, log and events",
    env=ENV,
    best={"CHRONOS_LEASE_SECONDS": "5"},
)
CHRONOS_IO = replace(
    CHRONOS,
    name="chronos-io",
    title="Chronos, io fleet",
    layout="1 beat, 1 io worker, 32 threads, kind noop; full history",
    worker=command("worker-io", n="{node}@%h"),
    span=SPAN,
    env={**ENV, "BENCH_KIND": "noop"},
)

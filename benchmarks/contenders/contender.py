"""What a contender is: data about how it is installed, prepared, worked and asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from psycopg import sql


@dataclass(frozen=True, slots=True)
class Command:
    """A process to start. In ``argv`` stand ``{bin}``, ``{node}``, ``{slots}``, ``{port}`` …."""

    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Contender:
    """A platform that runs jobs, with one set of settings.

    ``group`` names the environment that it is installed in. ``workers`` processes of ``slots`` each
    are the layout of throughput, latency and punctuality. ``beat`` must run beside the workers at
    all times, ``ticker`` only for jobs that recur; where ``ticks`` is true the client makes those.
    ``scaler`` fires the schedules of the scale scenario. ``prepare`` makes the tables of an empty
    database. ``settled`` counts the rows that say that a job is done, ``left_running`` those that
    say that it is not. ``attempts`` gives the number of each job and how often it was begun, as SQL
    knows it. ``span`` gives the first start and the last end since the Unix time ``%s``, where jobs
    leave no records. ``backlog`` is the verb of the client that submits many.
    ``history`` is what it records in SQL, empty for nothing; ``best`` its documented settings
    against loss.
    """

    name: str
    title: str
    layout: str
    group: str
    client: Command
    worker: Command | None = None
    web: Command | None = None
    workers: int = 1
    slots: int = 2
    beat: Command | None = None
    ticker: Command | None = None
    ticks: bool = False
    scaler: Command | None = None
    prepare: tuple[Command, ...] = ()
    schema: str = ""
    settled: sql.SQL | None = None
    left_running: sql.SQL | None = None
    attempts: sql.SQL | None = None
    span: sql.SQL | None = None
    backlog: str = "burst"
    history: str = ""
    env: Mapping[str, str] = field(default_factory=dict)
    best: Mapping[str, str] = field(default_factory=dict)

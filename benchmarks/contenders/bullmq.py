"""BullMQ on Node.js, with a history in PostgreSQL and without."""

from __future__ import annotations

from dataclasses import replace

from psycopg import sql

from benchmarks.contenders.contender import Command, Contender
from benchmarks.environments import NODE

WORKER = Command(("{bin}/node", "worker.mjs"))

BULLMQ = Contender(
    name="bullmq",
    title="BullMQ",
    layout="2 processes, concurrency 10",
    group=NODE,
    client=Command(("{bin}/node", "client.mjs")),
    worker=WORKER,
    workers=2,
    slots=10,
    ticks=True,
    scaler=WORKER,
    best={"BENCH_BEST": "1"},
)
HISTORY = replace(
    BULLMQ,
    name="bullmq-history",
    title="BullMQ + PostgreSQL history",
    layout="2 processes, concurrency 10, SQL history: 4 commits a job",
    scaler=None,
    prepare=(Command(("{bin}/node", "tables.mjs")),),
    schema="bullmq",
    settled=sql.SQL("SELECT count(*) FROM execution WHERE status = 'succeeded'"),
    left_running=sql.SQL("SELECT count(*) FROM execution WHERE status IN ('running', 'queued')"),
    history="insert, running, finished, a line of log",
    env={"BENCH_HISTORY": "1"},
)

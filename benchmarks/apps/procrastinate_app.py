"""procrastinate on PostgreSQL; ``BENCH_BEST`` adds the retry of stalled jobs from its guide.

``BENCH_TICK`` adds the job that recurs: its periodic jobs are part of the worker's code.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import Any

import procrastinate

from benchmarks import records

TICK = -7

_address = os.environ["DATABASE_URL"]
app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=_address))


@app.task(name="job", queue="default")
def job(index: int, submitted: float = 0.0, milliseconds: int = 0) -> None:
    records.job(index, submitted, milliseconds)


if os.environ.get("BENCH_TICK"):

    @app.periodic(cron="* * * * * *")
    @app.task(name="tick", pass_context=False)
    def tick(timestamp: int) -> None:
        records.job(TICK, float(timestamp))


if os.environ.get("BENCH_BEST"):

    @app.periodic(cron="* * * * * */5")  # the sixth field is the second
    @app.task(name="retry_stalled", queueing_lock="retry_stalled", pass_context=True)
    async def retry_stalled(context: Any, timestamp: int) -> None:
        for stalled in await app.job_manager.get_stalled_jobs():
            await app.job_manager.retry_job(stalled)


def start() -> None:
    app.open()


def submit(index: int, submitted: float, milliseconds: int) -> None:
    job.defer(index=index, submitted=submitted, milliseconds=milliseconds)


def submit_at(index: int, due: float) -> None:
    at = datetime.fromtimestamp(due, UTC)
    job.configure(schedule_at=at).defer(index=index, submitted=due, milliseconds=0)


def prepare() -> None:
    """Make the tables."""
    connector = procrastinate.SyncPsycopgConnector(conninfo=_address)
    with procrastinate.App(connector=connector).open() as opened:
        opened.schema_manager.apply_schema()

"""APScheduler 3 with its jobs in PostgreSQL and ten threads, its default.

It has no workers: the process that adds jobs runs them, or one of its own does (``python -m``).
"""

from __future__ import annotations

import os
import re
import sys
import time
from datetime import UTC, datetime

from apscheduler.jobstores.sqlalchemy import SQLAlchemyJobStore
from apscheduler.schedulers.background import BackgroundScheduler

from benchmarks import records

NAME = "benchmarks.apps.apscheduler_app"
TICK = -7
ASLEEP = bool(os.environ.get("BENCH_ASLEEP"))  # the client only stores: another process runs

_address = re.sub(r"^\w+://", "postgresql+psycopg://", os.environ["DATABASE_URL"])
_scheduler = BackgroundScheduler(
    jobstores={"default": SQLAlchemyJobStore(url=_address)},
    timezone=UTC,
    job_defaults={"misfire_grace_time": None},
)


def job(index: int, submitted: float = 0.0, milliseconds: int = 0) -> None:
    records.job(index, submitted, milliseconds)


def start() -> None:
    _scheduler.start(paused=ASLEEP)


def submit(index: int, submitted: float, milliseconds: int) -> None:
    _scheduler.add_job(f"{NAME}:job", args=(index, submitted, milliseconds))


def submit_at(index: int, due: float) -> None:
    at = datetime.fromtimestamp(due, UTC)
    _scheduler.add_job(f"{NAME}:job", "date", run_date=at, args=(index, due, 0))


def tick(seconds: int) -> None:
    _scheduler.add_job(f"{NAME}:job", "interval", seconds=seconds, args=(TICK, 0.0, 0))


def fill(count: int, every: int, first: float, rate: float) -> None:
    for index in range(count):
        add(index, first + index / rate, every)


def add(index: int, due: float, every: int) -> None:
    at = datetime.fromtimestamp(due, UTC)
    _scheduler.add_job(
        f"{NAME}:job",
        "interval",
        seconds=every,
        start_date=at,
        next_run_time=at,
        args=(index, 0.0, 0),
        id=f"schedule {index}",
    )


if __name__ == "__main__":
    sys.modules[NAME] = sys.modules["__main__"]
    start()
    while True:
        time.sleep(3600)

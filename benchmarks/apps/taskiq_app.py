"""taskiq on Redis streams, acknowledged; ``BENCH_BEST`` claims abandoned messages after 10 s."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta

from taskiq import TaskiqScheduler
from taskiq_redis import ListRedisScheduleSource, RedisStreamBroker

from benchmarks import records

TICK = -7
IDLE_MILLISECONDS = 10_000 if os.environ.get("BENCH_BEST") else 600_000  # the latter is its default

_address = os.environ["REDIS_URL"]
broker = RedisStreamBroker(url=_address, consumer_id="0", idle_timeout=IDLE_MILLISECONDS)
source = ListRedisScheduleSource(_address)
scheduler = TaskiqScheduler(broker, [source])


@broker.task(task_name="job")
def job(index: int, submitted: float = 0.0, milliseconds: int = 0) -> None:
    records.job(index, submitted, milliseconds)


async def start() -> None:
    await broker.startup()
    await source.startup()


async def submit(index: int, submitted: float, milliseconds: int) -> None:
    await job.kiq(index, submitted, milliseconds)


async def submit_at(index: int, due: float) -> None:
    at = datetime.fromtimestamp(due, UTC)
    await job.schedule_by_time(source, at, index, due, 0)


async def tick(seconds: int) -> None:
    await job.schedule_by_interval(source, timedelta(seconds=seconds), TICK, 0.0, 0)

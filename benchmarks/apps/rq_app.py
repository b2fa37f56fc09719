"""rq, which forks for each job unless its worker is told otherwise."""

from __future__ import annotations

import os
from datetime import UTC, datetime

import redis
import rq

from benchmarks import records

QUEUE = "bench"

_queue = rq.Queue(QUEUE, connection=redis.Redis.from_url(os.environ["REDIS_URL"]))


def job(index: int, submitted: float = 0.0, milliseconds: int = 0) -> None:
    records.job(index, submitted, milliseconds)


def start() -> None:
    """There is nothing to make."""


def submit(index: int, submitted: float, milliseconds: int) -> None:
    _queue.enqueue(job, index, submitted, milliseconds)


def submit_at(index: int, due: float) -> None:
    _queue.enqueue_at(datetime.fromtimestamp(due, UTC), job, index, due, 0)

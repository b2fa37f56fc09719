"""huey on Redis, with its default storage: a list and a blocking pop."""

from __future__ import annotations

import os
from datetime import datetime

from huey import RedisHuey

from benchmarks import records

huey = RedisHuey("bench", url=os.environ["REDIS_URL"])


@huey.task()
def job(index: int, submitted: float = 0.0, milliseconds: int = 0) -> None:
    records.job(index, submitted, milliseconds)


def start() -> None:
    """There is nothing to make."""


def submit(index: int, submitted: float, milliseconds: int) -> None:
    job(index, submitted, milliseconds)


def submit_at(index: int, due: float) -> None:
    at = datetime.fromtimestamp(due)  # noqa: DTZ006  it takes local time
    job.schedule((index, due, 0), eta=at)

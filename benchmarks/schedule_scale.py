"""What a beat costs, and how late it is, with a thousand and with a million schedules.

``python -m benchmarks.schedule_scale [--schedules 1000 100000 1000000] [--seconds 20]`` starts a
PostgreSQL and a Redis of its own (or takes those of ``DATABASE_URL``, whose tables it empties!,
and ``REDIS_URL``) and a real beat; this process plays the workers. Lateness is counted until the
message lies in the broker.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

import psutil
import redis
from django.conf import settings
from django.core.management import call_command
from django.db import connection

from benchmarks.standalone import NOBODY

# isort: split
from accounts.models import Team
from benchmarks.missed_slots import Shape, add, analyze, cpu, describe, empty, postmaster
from embedded.throwaway import ThrowAway
from executions import ahead, broker, clock
from executions.models import Execution, Queue
from jobs import definitions
from jobs.kinds.base import Fleet

APART = timedelta(milliseconds=20)  # 50 are due each second
SETTLE = 5.0  # seconds from then on until the beat is watched
LITTLE = timedelta(seconds=0.5)
FILLS = 12_000  # schedules that are made in a second, about
ADDED = 20  # schedules that are added while the others go on
BURST = 10_000  # schedules that are due on one instant
FEW = 200
IDS = re.compile(rb"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
DONE = """
UPDATE executions_execution
SET status = 'succeeded', finished_at = now(), publish_at = NULL, lease_expires_at = NULL
WHERE id = ANY(%s) AND status = 'queued'
"""


@dataclass(frozen=True, slots=True)
class Result:
    """Seconds, milliseconds, and per cent of a core, as the names say."""

    schedules: int
    first_fire_s: float
    sent_per_s: float
    beat_cpu_percent: float
    database_cpu_percent: float
    late_p50_ms: float
    late_p99_ms: float
    added_p50_ms: float
    added_max_ms: float
    gap_max_ms: float
    beat_mib: float

    def __str__(self) -> str:
        return (
            f"{self.schedules:8}: beat {self.beat_cpu_percent:4.1f} % of a core,"
            f" PostgreSQL {self.database_cpu_percent:4.1f} %; {self.sent_per_s:.1f}/s,"
            f" late {self.late_p50_ms:.1f} / {self.late_p99_ms:.1f} ms (p50 / p99);"
            f" first fire {self.first_fire_s:.2f} s after the start;"
            f" one that is added and due: sent after {self.added_p50_ms:.1f} ms, at most"
            f" {self.added_max_ms:.1f} ms; longest gap {self.gap_max_ms:.0f} ms;"
            f" {self.beat_mib:.0f} MiB"
        )


class Workers(threading.Thread):
    """Takes every message out of the broker, notes when, and ends the execution."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.taken: dict[UUID, float] = {}
        self._keys = [
            broker.Lane("default", fleet, lane).key for fleet in Fleet for lane in range(5)
        ]
        self._stopped = threading.Event()

    def run(self) -> None:
        client = redis.Redis.from_url(settings.REDIS_URL)
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout TO 0")
        while not self._stopped.is_set():
            found: Any = client.brpop(self._keys, timeout=0.2)
            if found is None:
                continue
            key, message = found
            self._end([message, *(client.rpop(key, 500) or ())])
        connection.close()

    def stop(self) -> None:
        self._stopped.set()
        self.join()

    def _end(self, messages: list[bytes]) -> None:
        now = time.time()
        ids = {
            UUID(found.decode())
            for message in messages
            for found in IDS.findall(base64.b64decode(json.loads(message)["body"]))
        }
        self.taken |= {pk: now for pk in ids if pk not in self.taken}
        with connection.cursor() as cursor:
            cursor.execute(DONE, [list(ids)])


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--schedules", type=int, nargs="+", default=[1_000, 100_000, 1_000_000])
    options.add_argument("--seconds", type=float, default=20, help="how long each is measured")
    options.add_argument("--json", action="store_true", help="one object a line")
    chosen = options.parse_args()
    if settings.REDIS_URL == NOBODY:
        settings.REDIS_URL = ThrowAway().redis()
    call_command("migrate", verbosity=0)
    describe(1)
    for number in chosen.schedules:
        result = measure(number, chosen.seconds)
        print(json.dumps(asdict(result)) if chosen.json else result, flush=True)
    for line in bursts():
        print(line, flush=True)


def measure(number: int, seconds: float) -> Result:
    """Let a beat go on with ``number`` schedules for some ``seconds``."""
    empty()
    first = clock.read() + timedelta(seconds=number / FILLS + 5)
    add(Shape("scale", number, 1, "latest", overlap="skip", apart=APART), "scale-", first=first)
    analyze()
    time.sleep(max(0.0, (first - clock.read()).total_seconds()) + 0.1)  # something is due
    with beat() as (process, workers, started):
        wait_until(lambda: bool(workers.taken))
        first_fire = min(workers.taken.values()) - started
        wait_until(is_up_to_date)
        time.sleep(SETTLE)
        server, began = postmaster(), time.time()
        computed = cpu_of(process), cpu(server)
        time.sleep(seconds)
        span = time.time() - began
        computed = cpu_of(process) - computed[0], cpu(server) - computed[1]
        added = sorted(add_one() for _ in range(ADDED))
        waits = [at - added_at for added_at, at in taken_of(added, workers)]
        memory = process.memory_info().rss / 2**20
    late = lateness(workers, began, began + span)
    arrivals = sorted(at for at in workers.taken.values() if at > began)
    gaps = [after - before for before, after in pairwise(arrivals)]
    return Result(
        schedules=number,
        first_fire_s=first_fire,
        sent_per_s=len(late) / span,
        beat_cpu_percent=100 * computed[0] / span,
        database_cpu_percent=100 * computed[1] / span,
        late_p50_ms=1000 * part(late, 0.5),
        late_p99_ms=1000 * part(late, 0.99),
        added_p50_ms=1000 * part(waits, 0.5),
        added_max_ms=1000 * max(waits),
        gap_max_ms=1000 * max(gaps),
        beat_mib=memory,
    )


def is_up_to_date() -> bool:
    """Whether the beat has worked off what fell due before it started."""
    now = clock.now()
    seen = ahead.look(now)
    return not (seen.is_behind(now, LITTLE) or seen.execution_is_due(now - LITTLE))


def bursts() -> Iterator[str]:
    """Say how late a schedule of every second is, and the last of many that are due at once."""
    empty()
    begin = clock.read().replace(microsecond=0) + timedelta(seconds=5)
    add(Shape("second", 1, 3600, "latest", overlap="allow"), "second-", first=begin)
    analyze()
    with beat() as (_, workers, _):
        time.sleep(20)
        late = lateness(workers, begin.timestamp(), time.time())
        yield f"every second: late {1000 * part(late, 0.5):.1f} / {1000 * part(late, 0.99):.1f} ms"
        for number, window in ((FEW, None), (BURST, 2 * BURST)):
            Queue.objects.filter(name="default").update(window=window)
            instant = clock.read().replace(microsecond=0) + timedelta(seconds=number / FILLS + 5)
            add(Shape("burst", number, 1, "latest", overlap="skip"), f"b{number}-", first=instant)
            late = sorted(burst(workers, f"b{number}-", number, instant))
            yield f"{number} due at once: last message {1000 * late[-1]:.0f} ms after the instant"
        Queue.objects.filter(name="default").update(window=None)


def burst(workers: Workers, prefix: str, number: int, instant: datetime) -> list[float]:
    own = Execution.objects.filter(schedule__job__slug__startswith=prefix)
    wait_until(lambda: own.count() == number)
    ids = list(own.values_list("pk", flat=True))
    wait_until(lambda: workers.taken.keys() >= set(ids))
    return [workers.taken[pk] - instant.timestamp() for pk in ids]


@contextmanager
def beat() -> Iterator[tuple[psutil.Process, Workers, float]]:
    """Run a beat and workers; yield them and when the beat was started."""
    workers = Workers()
    workers.start()
    environment = os.environ | {"REDIS_URL": settings.REDIS_URL}
    environment.pop("CHRONOS_DB_PATIENCE_SECONDS", None)
    command = [sys.executable, "-m", "celery", "-A", "chronos_project", "beat", "-l", "WARNING"]
    started = time.time()
    process = psutil.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    try:
        yield process, workers, started
    finally:
        process.terminate()
        process.wait(timeout=10)
        workers.stop()


def add_one() -> tuple[float, UUID]:
    """Create a job that is due at once; return when that was done, and its schedule."""
    team = Team.objects.get(name="scale-")
    body = {"name": "added", "schedule": {"type": "once"}}
    job = definitions.create(team, body, actor=None, now=clock.read())
    done = time.time()
    time.sleep(0.1)
    return done, job.schedule.pk


def taken_of(added: list[tuple[float, UUID]], workers: Workers) -> Iterator[tuple[float, float]]:
    for done, schedule in added:
        wait_until(lambda pk=schedule: Execution.objects.filter(schedule=pk).exists())
        pk = Execution.objects.get(schedule=schedule).pk
        wait_until(lambda pk=pk: pk in workers.taken)
        yield done, workers.taken[pk]


def lateness(workers: Workers, began: float, ended: float) -> list[float]:
    """Return how long after their slots those of the time in between were in the broker."""
    rows = Execution.objects.filter(schedule__job__team__name__in=["scale-", "second-"])
    slots = rows.values_list("pk", "scheduled_for")
    return sorted(
        workers.taken[pk] - slot.timestamp()
        for pk, slot in slots
        if slot and began <= slot.timestamp() < ended and pk in workers.taken
    )


def part(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def cpu_of(process: psutil.Process) -> float:
    return float(sum(process.cpu_times()[:2]))


def wait_until(is_so: Any, within: float = 180.0) -> None:
    until = time.monotonic() + within
    while not is_so():
        if time.monotonic() > until:
            raise TimeoutError("the beat does not do it")
        time.sleep(0.01)


if __name__ == "__main__":
    main()

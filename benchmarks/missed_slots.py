"""How long beats take to settle 100 000 missed slots, and what that does to punctual work.

``python -m benchmarks.missed_slots [--beats 2]`` starts a PostgreSQL of its own (or takes that of
``DATABASE_URL``, whose tables it empties!), prints the machine, the settings and one line for each
backlog.
"""

from __future__ import annotations

import argparse
import contextlib
import multiprocessing
import os
import platform
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import psutil
from django.core.management import call_command
from django.db import connection, transaction

from benchmarks import standalone  # noqa: F401  models want their settings first

# isort: split
from accounts.models import Team
from executions import clock, scheduler
from executions.models import Execution
from jobs.models import Schedule

DOWN = timedelta(hours=1)  # for so long nobody fired anything
DAY = 86_400  # seconds
CHUNK = 5_000  # rows that are made at once
PUNCTUAL = 20  # schedules that are due every second while the backlog is settled

MAKE = """
WITH job AS (
    INSERT INTO jobs_job (id, team_id, name, slug, description, kind, tags, paused_reason,
        created_at, updated_at)
    SELECT gen_random_uuid(), %(team)s, 'job ' || n, %(prefix)s || n, '', 'noop', '{}', '',
        now(), now()
    FROM generate_series(%(from)s, %(to)s) AS n
    RETURNING id
), version AS (
    INSERT INTO jobs_jobversion (id, job_id, number, kind, payload, schedule, max_attempts,
        retry_strategy, retry_base_seconds, retry_max_seconds, timeout_seconds, queue, priority,
        on_lost, created_at)
    SELECT gen_random_uuid(), id, 1, 'noop', '{}', '{}', 3, 'exponential', 60, 3600, 300,
        'default', 2, 'retry', now()
    FROM job
    RETURNING id, job_id
), schedule AS (
    INSERT INTO jobs_schedule (id, job_id, type, cron, timezone, every_seconds, anchor, misfire,
        catch_up_max, overlap, next_fire_at, enabled, disabled_reason)
    SELECT gen_random_uuid(), id, %(type)s, %(cron)s, %(zone)s, %(every)s, first, %(misfire)s,
        1000000, %(overlap)s, first, true, ''
    FROM (SELECT id, row_number() OVER () - 2 + %(from)s AS number FROM job) AS numbered,
        LATERAL (SELECT %(first)s + number * %(apart)s AS first) AS instant
)
SELECT count(*) FROM version
"""
LINK = """
UPDATE jobs_job SET current_id = version.id
FROM jobs_jobversion AS version WHERE version.job_id = jobs_job.id AND current_id IS NULL
"""


@dataclass(frozen=True, slots=True)
class Shape:
    """A backlog: so many schedules that missed so many slots each.

    ``apart`` is from the first slot of one schedule to that of the next.
    """

    name: str
    schedules: int
    slots: int
    misfire: str
    cron: str = ""
    overlap: str = "allow"
    apart: timedelta = timedelta(0)

    @property
    def every(self) -> int:
        """Seconds from slot to slot; those of a schedule that missed one are a day apart."""
        if self.apart:
            return round(self.schedules * self.apart.total_seconds())
        return max(1, int(DOWN.total_seconds()) // self.slots) if self.slots > 1 else DAY


SHAPES = (
    Shape("all", 200, 500, "all"),
    Shape("all", 1, 100_000, "all"),
    Shape("all", 100_000, 1, "all"),
    Shape("latest, cron", 100_000, 1, "latest", "0 9 * * *"),
    Shape("skip", 100_000, 1, "skip"),
)


@dataclass(frozen=True, slots=True)
class Result:
    """What it took to settle so many slots.

    ``seconds`` by the clock, ``beats`` and ``database`` of computing (on a busy machine these tell
    more); the longest that a punctual slot waited; the most that a beat grew, in MiB.
    """

    settled: int
    seconds: float
    beats: float
    database: float
    lateness: float
    memory: float

    def __str__(self) -> str:
        return (
            f"{self.settled} slots in {self.seconds:.1f} s"
            f" ({self.beats:.1f} s of beats, {self.database:.1f} s of PostgreSQL);"
            f" punctual ones at most {self.lateness:.2f} s late; memory +{self.memory:.0f} MiB"
        )


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--beats", type=int, default=1, help="processes that fire at once")
    beats = options.parse_args().beats
    call_command("migrate", verbosity=0)
    describe(beats)
    for shape in SHAPES:
        result = measure(shape, beats)
        print(f"{shape.name:12} {shape.schedules:6} x {shape.slots:6}: {result}")


def describe(beats: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        version = cursor.fetchone()[0]
    memory = psutil.virtual_memory().total / 2**30
    print(f"{platform.machine()}, {os.cpu_count()} cores, {memory:.0f} GiB, {datetime.now(UTC):%F}")
    print(f"Python {platform.python_version()}, PostgreSQL {version}, load {os.getloadavg()[0]}")
    print(
        f"beats: {beats}; rows a transaction: {scheduler.MOST_ROWS}; punctual: {PUNCTUAL} a second"
    )


def measure(shape: Shape, beats: int) -> Result:
    """Let ``beats`` settle the backlog of ``shape`` while ``PUNCTUAL`` schedules go on."""
    empty()
    began = clock.read().replace(microsecond=0)
    since = DOWN if shape.slots == 1 else timedelta(seconds=shape.slots * shape.every - 1)
    add(shape, "late-", first=began - since)
    analyze()
    now = clock.read().replace(microsecond=0)
    add(Shape("punctual", PUNCTUAL, 3600, "latest"), "punctual-", first=now + timedelta(seconds=1))
    server = postmaster()
    before, started = cpu(server), time.perf_counter()
    connection.close()
    spent, memory = run(beats, until=began)
    seconds, computed = time.perf_counter() - started, cpu(server) - before
    return Result(settled(), seconds, spent, computed, lateness(), memory / 2**20)


def run(beats: int, *, until: datetime) -> tuple[float, int]:
    """Fire in ``beats`` processes; return their computing and the most that one grew in bytes."""
    context = multiprocessing.get_context("fork")
    running = [context.Process(target=fire, args=[until]) for _ in range(beats)]
    for one in running:
        one.start()
    seen = {one.pid: psutil.Process(one.pid) for one in running}
    first = {pid: process.memory_info().rss for pid, process in seen.items()}
    spent, grown = dict.fromkeys(first, 0.0), 0
    while any(one.is_alive() for one in running):
        for pid, process in seen.items():
            with contextlib.suppress(psutil.NoSuchProcess):
                spent[pid] = sum(process.cpu_times()[:2])
                grown = max(grown, process.memory_info().rss - first[pid])
        time.sleep(0.05)
    for one in running:
        one.join()
    return sum(spent.values()), grown


def fire(until: datetime) -> None:
    """What a beat does, until nothing is due that was due ``until`` then."""
    late = Schedule.objects.due(until).filter(job__slug__startswith="late-")
    while late.exists():
        scheduler.fire_due(clock.now())
    connection.close()


def lateness() -> float:
    punctual = Execution.objects.filter(schedule__job__slug__startswith="punctual-")
    waits = [row.created_at - row.scheduled_for for row in punctual if row.scheduled_for]
    return max(waits, default=timedelta(0)).total_seconds()


def postmaster() -> psutil.Process:
    """The main process of PostgreSQL, which must run on this machine."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        found = psutil.Process(cursor.fetchone()[0]).parent()
    assert found is not None  # noqa: S101  a backend has a parent
    return found


def cpu(server: psutil.Process) -> float:
    """What the server has computed, with the backends that have ended."""
    times = [server.cpu_times(), *(one.cpu_times() for one in server.children())]
    ended = times[0].children_user + times[0].children_system
    return float(sum(one.user + one.system for one in times) + ended)


def empty() -> None:
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE jobs_job, accounts_team CASCADE")


def analyze() -> None:
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE jobs_job, jobs_jobversion, jobs_schedule")
        cursor.execute("VACUUM ANALYZE executions_execution")
        cursor.execute("CHECKPOINT")


def add(shape: Shape, prefix: str, *, first: datetime) -> None:
    team = Team.objects.create(name=prefix)
    values: dict[str, Any] = {
        "team": team.pk,
        "prefix": prefix,
        "type": "cron" if shape.cron else "interval",
        "cron": shape.cron,
        "zone": "Europe/Berlin" if shape.cron else "UTC",
        "every": None if shape.cron else shape.every,
        "first": first,
        "misfire": shape.misfire,
        "overlap": shape.overlap,
        "apart": shape.apart,
    }
    for number in range(1, shape.schedules + 1, CHUNK):
        to = min(number + CHUNK - 1, shape.schedules)
        with transaction.atomic(), connection.cursor() as cursor:  # no job is without its version
            cursor.execute(MAKE, {**values, "from": number, "to": to})
            cursor.execute(LINK)


def settled() -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT sum(coalesce((result->>'count')::int, 1)) FROM executions_execution e"
            " JOIN jobs_job j ON j.id = e.job_id WHERE j.slug LIKE 'late-%%'"
        )
        return int(cursor.fetchone()[0])


if __name__ == "__main__":
    main()

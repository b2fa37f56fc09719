"""PostgreSQL restarts, dies, stalls, or cuts its clients off: nothing is lost or half done."""

from __future__ import annotations

import signal
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from django.db import connection

from executions.models import Status
from tests.crash.ground import LEASE_SECONDS
from tests.crash.infrastructure import servers
from tests.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.crash.ground import Ground
    from tests.crash.trial import Trial

pytestmark = pytest.mark.crash

RESUME_SECONDS = 10  # P13
HELD = 8  # executions that are sure to be running when it goes
TERMINATE = """
SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


@pytest.mark.parametrize(
    ("name", "how"),
    [
        ("PostgreSQL restarted (fast)", signal.SIGINT),
        ("PostgreSQL stopped at once (immediate)", signal.SIGQUIT),
        ("PostgreSQL killed", signal.SIGKILL),
    ],
)
def test_postgres_ends_and_starts_again(ground: Ground, name: str, how: signal.Signals) -> None:
    with _under_load(ground, name) as trial:
        server = servers.postgres()
        trial.bites("work was running", _is_at_work(trial))
        with trial.fault():
            server.end(how)
            server.start()


@pytest.mark.parametrize("leases", [0.5, 1.5])
def test_postgres_stalls(ground: Ground, leases: float) -> None:
    with _under_load(ground, f"PostgreSQL silent for {leases:g} leases (SIGSTOP)") as trial:
        server = servers.postgres()
        trial.bites("work was running", _is_at_work(trial))
        with trial.fault(), server.frozen():
            time.sleep(leases * LEASE_SECONDS)


def test_all_connections_are_terminated(ground: Ground) -> None:
    with _under_load(ground, "PostgreSQL terminates all connections") as trial:
        terminated = 0
        with trial.fault(), connection.cursor() as cursor:
            for _ in range(3):
                cursor.execute(TERMINATE)
                terminated += cursor.fetchone()[0]
                eventually(_is_at_work(trial), within=10)
        trial.bites(f"{terminated} connections ended", lambda: terminated)


@contextmanager
def _under_load(ground: Ground, name: str) -> Iterator[Trial]:
    """The block breaks PostgreSQL and mends it while work runs and slots fall due."""
    ground.staff(beats=2, io=1, compute=1)
    with ground.trial(name) as trial:
        trial.http(HELD, path="/work?seconds=1.5", over=3)
        trial.http(trial.size, over=3)
        trial.compute(HELD, after=0.3)
        trial.slots(number=5)
        trial.await_starts(3)
        yield trial
        verdict = trial.verdict(within=90)

    assert verdict.holds, verdict.violations
    assert (verdict.first_progress or 0) <= RESUME_SECONDS


def _is_at_work(trial: Trial) -> Callable[[], bool]:
    return trial.executions.filter(status=Status.RUNNING).exists

"""Starting unruly jobs, and looking at what becomes of them and of their processes."""

from __future__ import annotations

import os
from contextlib import suppress
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from executions import bell, clock, scheduler, transitions
from executions.models import Execution, Origin
from tests.crash.app import record
from tests.factories import JobFactory
from tests.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from jobs.models import Job
    from tests.crash.ground import Ground

MOMENT = timedelta(microseconds=1)
APPS = {"CHRONOS_APPS": "tests.crash.app,tests.crash.unruly"}

_numbers = count(1)


def start(ground: Ground, function: str, *, version: Any = None, **kwargs: Any) -> Execution:
    """Run ``unruly.<function>`` once, now. ``version`` are fields of the job's version."""
    made = job(ground, function, version=version, **kwargs)
    return scheduler.run_now(made, now=clock.read(), actor="test")


def start_all(jobs: Sequence[Job]) -> list[Execution]:
    """Run ``jobs`` now, in this order, as a backlog that becomes due at once."""
    now = clock.read()
    rows = [
        Execution.of(job, now=now, due_at=now + number * MOMENT, origin=Origin.MANUAL)
        for number, job in enumerate(jobs)
    ]
    Execution.objects.bulk_create(rows)
    bell.ring()
    return rows


def job(ground: Ground, function: str, *, version: Any = None, **kwargs: Any) -> Job:
    """A job that runs ``unruly.<function>`` with ``kwargs``."""
    payload = {"function": f"unruly.{function}", "args": [], "kwargs": kwargs}
    fields = {"timeout_seconds": 300, "max_attempts": 1, **(version or {})}
    return JobFactory.create(
        team=ground.team,
        kind="python",
        slug=f"unruly-{next(_numbers)}",
        version__payload=payload,
        **{f"version__{name}": value for name, value in fields.items()},
    )


def begun(ground: Ground, execution: Execution, *, attempt: int = 1) -> None:
    """Wait until the job says that it has begun."""

    def has_begun() -> bool:
        return any(
            line["what"] == "start"
            and line["execution"] == str(execution.pk)
            and line["attempt"] == attempt
            for line in record.lines(ground.record)
        )

    eventually(has_begun, within=30, what=f"attempt {attempt} has begun")


def bred(ground: Ground, execution: Execution) -> list[psutil.Process]:
    """The processes that ``unruly.breed`` has started, once all are there.

    Those that are gone by then are left out.
    """

    def told() -> list[int]:
        lines = record.lines(ground.record)
        wanted = str(execution.pk)
        return next(
            (
                line["pids"]
                for line in lines
                if line["what"] == "bred" and line["execution"] == wanted
            ),
            [],
        )

    pids = eventually(told, within=30, what="processes were bred")
    return list(_found(pids))


def _found(pids: Iterable[int]) -> Iterator[psutil.Process]:
    for pid in pids:
        with suppress(psutil.NoSuchProcess):
            yield psutil.Process(pid)


def alive(processes: list[psutil.Process]) -> list[int]:
    """Those that still run; a corpse that nobody has waited for does not."""
    return [one.pid for one in processes if _runs(one)]


def _runs(one: psutil.Process) -> bool:
    try:
        return one.is_running() and one.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def gone(processes: list[psutil.Process], *, within: float) -> None:
    """Wait until none of ``processes`` runs."""
    eventually(lambda: not alive(processes), within=within, what="the processes are gone")


def carrying(variable: str, value: str) -> list[int]:
    """Processes with this variable in their environment."""
    wanted = f"{variable}={value}".encode()
    return [pid for pid in psutil.pids() if wanted in _environment(pid)]


def _environment(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/environ").read_bytes() if pid != os.getpid() else b""
    except OSError:
        return b""


def ended(execution: Execution, *, within: float) -> Execution:
    """Wait until the execution is over, and return it as it is then."""

    def over() -> Execution | None:
        row = Execution.objects.get(pk=execution.pk)
        return row if row.finished_at else None

    row = eventually(over, within=within, what="the execution is over")
    assert row is not None
    return row


def attempt_ended(execution: Execution, number: int = 1, *, within: float) -> Any:
    """Wait until an attempt is over, and return its row."""
    rows = execution.attempts.filter(number=number, finished_at__isnull=False)
    return eventually(rows.first, within=within, what=f"attempt {number} is over")


def cancel(execution: Execution) -> None:
    transitions.cancel(Execution.objects.get(pk=execution.pk), now=clock.read(), actor="ann")


def child_of(execution: Execution) -> psutil.Process:
    """The process that runs the newest attempt."""
    attempt = execution.attempts.latest("number")
    assert attempt.pid is not None
    return psutil.Process(attempt.pid)

"""What jobs of the crash tests run in a pool child of a compute worker."""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING, NoReturn

from jobs.kinds.functions import job_function
from tests.crash.app import record

if TYPE_CHECKING:
    from jobs.kinds.base import Context

TICK_SECONDS = 0.05
LINGER_SECONDS = 120  # what nobody ends, ends by itself


@job_function("crash.work")
def work(before: float = 0.0, after: float = 0.0, *, context: Context) -> dict[str, int]:
    """Wait ``before`` seconds, leave the mark that counts as the start, wait ``after`` seconds."""
    record.append("entered", execution=str(context.execution_id))
    time.sleep(before)
    _start(context)
    time.sleep(after)
    return {"attempt": context.attempt}


@job_function("crash.tick")
def tick(seconds: float, *, context: Context) -> dict[str, int]:
    """Start, then leave a mark every ``TICK_SECONDS``: as long as there are any, this runs."""
    _start(context)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        record.append("tick", execution=str(context.execution_id), attempt=context.attempt)
        time.sleep(TICK_SECONDS)
    return {"attempt": context.attempt}


@job_function("crash.die")
def die(*, context: Context) -> None:
    """End the process that runs this, as the kernel does when memory is short."""
    _start(context)
    os.kill(os.getpid(), signal.SIGKILL)


@job_function("crash.shout")
def shout(megabytes: int, *, context: Context) -> dict[str, int]:
    """Print so much, between a first and a last line that should be kept."""
    _start(context)
    print("first words")  # noqa: T201  the output of the job
    line = "x" * 1023
    for _ in range(megabytes):
        print("\n".join([line] * 1024))  # noqa: T201
    print("last words")  # noqa: T201
    return {"attempt": context.attempt}


@job_function("crash.ignore_term")
def ignore_term(*, context: Context) -> None:
    """Start a process that SIGTERM does not end, and wait for it."""
    _start(context)
    child = os.fork()
    if child == 0:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        _linger(context)
    os.waitpid(child, 0)


@job_function("crash.double_fork")
def double_fork(*, context: Context) -> None:
    """Start a process that belongs to nobody: another session, and its parent is gone."""
    _start(context)
    child = os.fork()
    if child == 0:
        os.setsid()
        if os.fork() == 0:
            _linger(context)
        os._exit(0)
    os.waitpid(child, 0)
    time.sleep(LINGER_SECONDS)


@job_function("crash.bomb")
def bomb(doublings: int = 5, *, context: Context) -> None:
    """Every process forks ``doublings`` times, so that there are 2 to that power."""
    _start(context)
    parent = os.getpid()
    for _ in range(doublings):
        os.fork()
    if os.getpid() != parent:
        _linger(context)
    time.sleep(LINGER_SECONDS)


def _linger(context: Context) -> NoReturn:
    """What a forked process does instead of returning into the worker's code."""
    try:
        record.append("spawned", execution=str(context.execution_id))
        time.sleep(LINGER_SECONDS)
    finally:
        os._exit(0)


def _start(context: Context) -> None:
    record.append("start", execution=str(context.execution_id), attempt=context.attempt)

"""Jobs that die, hang, swallow, flood and leave processes behind."""

from __future__ import annotations

import contextlib
import itertools
import os
import re
import signal
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

from jobs.kinds.functions import job_function
from tests.crash.app import record

if TYPE_CHECKING:
    from jobs.kinds.base import Context

FOR_EVER = 600.0  # seconds; no test lasts as long


@job_function("unruly.leave")
def leave(status: int) -> None:
    """End the process without a word."""
    os._exit(status)


@job_function("unruly.work")
def work(seconds: float = FOR_EVER, *, context: Context) -> str:
    _begin(context)
    try:
        time.sleep(seconds)
    finally:
        print("stopped")  # noqa: T201  read by the test
    return "done"


@job_function("unruly.swallow")
def swallow(*, context: Context) -> None:
    """Catch whatever is raised to stop this."""
    _begin(context)
    while True:
        with contextlib.suppress(BaseException):
            time.sleep(1)


@job_function("unruly.compute")
def compute(*, context: Context) -> None:
    """Hold the interpreter in C code that no signal and no other thread of Python gets through."""
    _begin(context)
    sum(itertools.repeat(0))


@job_function("unruly.breed")
def breed(then: str, *, context: Context) -> str:
    """Start processes in every way to get away with, tell their pids, then do ``then``."""
    _begin(context)
    children = [_plain(), _own_session(), _deaf(), _without_environment(), _double_fork()]
    children += [_double_fork(exec_=True)]
    record.append("bred", execution=str(context.execution_id), pids=children)
    match then:
        case "die":
            os.kill(os.getpid(), signal.SIGKILL)
        case "swallow":
            swallow(context=context)
        case "work":
            time.sleep(FOR_EVER)
    return "left them"


@job_function("unruly.bomb")
def bomb(*, context: Context) -> str:
    """About 200 processes, and some that go on starting more as long as they live."""
    env = os.environ | {"UNRULY": str(context.execution_id)}
    tree = "f() { [ $1 -gt 0 ] && { f $(($1-1)) & f $(($1-1)) & }; sleep 300; }; f 6"
    subprocess.Popen(["sh", "-c", tree], env=env)
    spawner = "while :; do setsid sleep 300 & sleep 0.02; done"
    for _ in range(3):
        subprocess.Popen(["sh", "-c", spawner], env=env, start_new_session=True)
    time.sleep(1.5)
    return "boom"


@job_function("unruly.flood")
def flood(megabytes: int, *, context: Context) -> int:
    """Print so much, in lines of 10 kB; return by how many KiB the process has grown."""
    _begin(context)
    before = _resident()
    line = "x" * 9_999
    print("the first line")  # noqa: T201  that is the point
    most = before
    for number in range(megabytes * 100):
        print(line)  # noqa: T201  that is the point
        if number % 1000 == 0:
            most = max(most, _resident())
    print("the last line")  # noqa: T201  that is the point
    return most - before


def _resident() -> int:
    status = Path("/proc/self/status").read_text()
    return int(re.findall(r"VmRSS:\s+(\d+)", status)[0])


def _begin(context: Context) -> None:
    record.append("start", execution=str(context.execution_id), attempt=context.attempt)


def _plain() -> int:
    return subprocess.Popen(["sleep", str(FOR_EVER)]).pid


def _own_session() -> int:
    return subprocess.Popen(["sleep", str(FOR_EVER)], start_new_session=True).pid


def _deaf() -> int:
    """Ignores what can be ignored, and so does what it starts."""
    ignore = f"trap '' TERM HUP INT; sleep {FOR_EVER}; sleep {FOR_EVER}"
    return subprocess.Popen(["sh", "-c", ignore], start_new_session=True).pid


def _without_environment() -> int:
    return subprocess.Popen(["/bin/sleep", str(FOR_EVER)], env={}, start_new_session=True).pid


def _double_fork(*, exec_: bool = False) -> int:
    """A daemon as in the book; without ``exec_`` it is a copy of this process."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.setsid()
        if os.fork() == 0:
            os.write(writer, str(os.getpid()).encode())
            os.closerange(3, 256)
            if exec_:
                os.execvp("sleep", ["sleep", str(FOR_EVER)])  # noqa: S606  a daemon as in the book
            time.sleep(FOR_EVER)
        os._exit(0)
    os.waitpid(child, 0)
    pid = int(os.read(reader, 32))
    os.close(reader)
    os.close(writer)
    return pid

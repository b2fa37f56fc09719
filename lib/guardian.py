"""A small process that outlives a worker, if only to end what a killed one left running.

It reads from a pipe whose other end only the worker holds: its end means that the worker is gone,
in whatever way. What then still carries the worker's mark is killed, and so is what was seen among
the worker's descendants before: a job may start a command with an environment of its own.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil

from lib import processes

ROOT = Path(__file__).resolve().parent.parent
LOOK_SECONDS = 1.0  # between looks at the worker's descendants
LEAVE_SECONDS = 5.0  # the worker itself may take this long to end after it closed the pipe
KILL_SECONDS = 15.0


class Guardian:
    """Starts the process, and a new one should it die. One for each worker, before it forks."""

    def __init__(self, mark: str) -> None:
        self._argv = [sys.executable, "-m", "lib.guardian", mark, str(os.getpid())]
        self._worker = os.getpid()
        self._process = self._start()
        os.register_at_fork(after_in_child=self._let_go)

    @property
    def pid(self) -> int:
        return self._process.pid

    def look(self) -> None:
        """Start it again if it died."""
        if self._process.poll() is not None:
            self._process = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(  # noqa: S603  our own module
            self._argv, cwd=ROOT, stdin=subprocess.PIPE, start_new_session=True
        )

    def _let_go(self) -> None:
        """A child that held the pipe would keep its end from the guardian."""
        if self._process.stdin is not None:
            with contextlib.suppress(OSError):
                self._process.stdin.close()


def main() -> None:
    """``python -m lib.guardian MARK WORKER``"""
    for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
        signal.signal(signum, signal.SIG_IGN)  # its time ends with the worker's
    mark = sys.argv[1]
    seen: set[psutil.Process] = set()
    with contextlib.suppress(psutil.NoSuchProcess):  # the worker was gone before this began
        worker = psutil.Process(int(sys.argv[2]))
        seen = _watch(worker)
        _let_it_leave(worker)
    left = processes.kill_all(lambda: _left(mark, seen), within=KILL_SECONDS)
    if left:
        _say(f"killed {left} processes that a worker had left behind")


def _watch(worker: psutil.Process) -> set[psutil.Process]:
    """Wait for the end of the pipe; return the descendants that were seen last."""
    seen: set[psutil.Process] = set()
    while not select.select([sys.stdin], [], [], LOOK_SECONDS)[0]:
        seen = {one for one in processes.tree(worker)[1:] if one.pid != os.getpid()} or seen
    return seen


def _let_it_leave(worker: psutil.Process) -> None:
    """A worker that ends in order closes the pipe a moment before it is gone."""
    deadline = time.monotonic() + LEAVE_SECONDS
    while worker.status() != psutil.STATUS_ZOMBIE and time.monotonic() < deadline:
        time.sleep(0.02)


def _left(mark: str, seen: set[psutil.Process]) -> set[psutil.Process]:
    alive = {one for one in seen if one.is_running()}
    return {part for one in {*alive, *processes.carrying(mark)} for part in processes.tree(one)}


def _say(text: str) -> None:
    with contextlib.suppress(OSError):
        os.write(sys.stderr.fileno(), f"{time.strftime('%H:%M:%S')} chronos: {text}\n".encode())


if __name__ == "__main__":
    main()

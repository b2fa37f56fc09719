"""A small process that outlives a worker, if only to end what a killed one left running.

It reads from a pipe whose other end only the worker holds: its end means that the worker is gone,
in whatever way. The worker's pool children are frozen by then. What carries the worker's mark is
killed, with all that it has started: a job may give a command an environment of its own.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil

from lib import processes

ROOT = Path(__file__).resolve().parent.parent
LEAVE_SECONDS = 5.0  # the worker itself may take this long to end after it closed the pipe
KILL_SECONDS = 15.0


class Guardian:
    """Starts the process, and a new one should it die. One for each worker, before it forks."""

    def __init__(self, mark: str) -> None:
        self._argv = [sys.executable, "-m", "lib.guardian", mark, str(os.getpid())]
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
    mark, worker = sys.argv[1], int(sys.argv[2])
    while os.read(sys.stdin.fileno(), 1024):
        pass
    _let_it_leave(worker)
    left = processes.kill_all(lambda: _left(mark), within=KILL_SECONDS)
    if left:
        _say(f"killed {left} processes that a worker had left behind")


def _let_it_leave(worker: int) -> None:
    """A worker that ends in order closes the pipe a moment before it is gone."""
    deadline = time.monotonic() + LEAVE_SECONDS
    with contextlib.suppress(psutil.NoSuchProcess):
        while psutil.Process(worker).status() != psutil.STATUS_ZOMBIE:
            if time.monotonic() > deadline:
                break
            time.sleep(0.02)


def _left(mark: str) -> set[psutil.Process]:
    return {part for one in processes.carrying(mark) for part in processes.tree(one)}


def _say(text: str) -> None:
    with contextlib.suppress(OSError):
        os.write(sys.stderr.fileno(), f"{time.strftime('%H:%M:%S')} chronos: {text}\n".encode())


if __name__ == "__main__":
    main()

"""The processes of a compute worker: its pool children, and what their jobs start.

A pool child leads its own session (a group that lost its parent would be woken from its freeze),
adopts the orphans among its descendants, and ends what a job has left running. What dies with it is
adopted and ended by the main process; ``lib.guardian`` does the same when that one is killed.
"""

from __future__ import annotations

import contextlib
import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import psutil
import structlog

from executions import board, interrupts
from lib import processes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

log = structlog.get_logger(__name__)


def begin(seats: board.Board, index: int) -> None:
    """Make this new pool child ready for jobs. ``index`` is its own among the living ones."""
    interrupts.disarm()
    processes.become_subreaper()
    processes.freeze_with_parent()  # Celery would have it killed; see ``lib.guardian``
    board.mine = seats.sit(index)
    os.setsid()  # after it is on the board, so that nobody takes it for an orphan


@contextmanager
def tidied() -> Iterator[None]:
    """End whatever the block leaves running below this process, if it is a pool child.

    Everything that a job starts ends with its attempt, also what tries to get away: daemons,
    processes in sessions of their own, those that ignore SIGTERM. A copy of this process that the
    block has forked ends here, too: it must not settle the attempt once more.
    """
    here = os.getpid()
    try:
        yield
    finally:
        if os.getpid() != here:
            os._exit(_status(sys.exc_info()[1]))
        if board.mine is not None and processes.has_children():
            _say("execution.processes_killed", processes.kill_all(processes.descendants))


def _say(event: str, killed: int) -> None:
    if killed:  # else there were only corpses to bury
        log.warning(event, number=killed)


def _status(exc: BaseException | None) -> int:
    if isinstance(exc, SystemExit):
        return exc.code if isinstance(exc.code, int) else bool(exc.code)
    return exc is not None


class Nursery:
    """What the main process does about its pool children; ``spared()`` is a child that is none."""

    def __init__(self, seats: board.Board, *, spared: Callable[[], int]) -> None:
        self._board = seats
        self._spared = spared
        processes.become_subreaper()

    def kill(self, pid: int) -> None:
        """Kill a pool child and all that it has started."""
        with contextlib.suppress(psutil.NoSuchProcess):
            child = psutil.Process(pid)
            processes.kill_all(
                lambda: [*processes.tree(child), *self._orphans()], spare=self._is_own
            )

    def kill_orphans(self) -> None:
        """Kill what pool children have left behind when they died."""
        _say("worker.orphans_killed", processes.kill_all(self._orphans, spare=self._is_own))

    def _orphans(self) -> list[psutil.Process]:
        """Adopted processes, with their descendants.

        A new pool child is in this process's group until it is on the board.
        """
        adopted = [one for one in psutil.Process().children() if _group(one.pid) != os.getpgrp()]
        own = {*self._board.owners(), self._spared()}
        trees = [processes.tree(one) for one in adopted if one.pid not in own]
        return [one for tree in trees for one in tree]

    def _is_own(self, one: psutil.Process) -> bool:
        return one.pid in self._board.owners()


def _group(pid: int) -> int | None:
    with contextlib.suppress(ProcessLookupError):
        return os.getpgid(pid)
    return None

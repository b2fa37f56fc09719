"""What the main process of a worker does about attempts that do not end by themselves.

A pool child that dies or that has to be killed is settled by its parent; a thread cannot be killed,
so its attempt is settled and the thread is lost until the worker starts again.
"""

from __future__ import annotations

import os
import signal
from functools import partial
from typing import TYPE_CHECKING

import structlog

from executions import clock, endings, leases
from executions.board import Taken
from executions.chores import see_to
from executions.leases import Held

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from uuid import UUID

    from executions.board import Board
    from executions.children import Nursery
    from executions.leases import Kept

log = structlog.get_logger(__name__)


def answer(
    worker: str,
    *,
    seats: Board | None,
    nursery: Nursery | None,
    died: Callable[[], None],
    hung: Callable[[int], None],
) -> None:
    """Answer for all attempts of this worker from now on.

    ``died()`` is called when a pool child has died, ``hung(number)`` when threads are lost.
    """
    _force.worker, _force.nursery, _force.died, _force.hung = worker, nursery, died, hung
    _force.seats = seats
    leases.force = _force
    if seats is not None:
        leases.keeper.follow(lambda: filter(_is_alive, seats.taken()))
        leases.watcher.follow(lambda: filter(_is_alive, seats.taken()))


def lost(execution_ids: Sequence[UUID], *, pid: int, how: str) -> None:
    """The pool child ``pid`` is dead, which had the message of these executions.

    May be called more than once, by Celery and by whoever looks at the seats. The one that it was
    at when it died is to blame, and the others are not.
    """
    _force.died()
    culprit = _force.culprit(pid)
    for execution_id in execution_ids:
        if (execution_id, pid) not in _force.killed:
            guilty = culprit in {None, execution_id}
            see_to(partial(_settle, execution_id, pid=pid, how=how, guilty=guilty))
    if _force.nursery is not None:
        see_to(_force.nursery.kill_orphans)


def _is_alive(one: Taken) -> bool:
    """Nobody may keep the lease of a dead child. Celery, too, tells of it, unless it is stuck."""
    try:
        ended = os.waitid(os.P_PID, one.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:  # waited for: Celery has seen it
        return False
    if ended is not None:
        _force.blame(one)
        one.clear()
        lost([one.execution_id], pid=one.pid, how=_how(ended))
    return ended is None


def _how(ended: os.waitid_result) -> str:
    if ended.si_code == os.CLD_EXITED:
        return f"exitcode {ended.si_status}"
    return f"signal {ended.si_status} ({signal.Signals(ended.si_status).name})"


class _Force:
    """Ends an attempt by force; what ``leases.force`` is in a worker."""

    def __init__(self) -> None:
        self.worker = ""
        self.nursery: Nursery | None = None
        self.died: Callable[[], None] = lambda: None
        self.hung: Callable[[int], None] = lambda _: None
        self.seats: Board | None = None
        self.killed: set[tuple[UUID, int]] = set()  # execution and process: no crash
        self._culprits: dict[int, UUID] = {}  # what dead processes were at
        self._left: list[Held] = []

    def __call__(self, one: Kept) -> None:
        log.warning("attempt.forced", execution_id=str(one.execution_id), stop=one.stop.words)
        if isinstance(one, Taken):
            self._kill(one)
        elif isinstance(one, Held):
            self._leave(one)
        execution_id, attempt, stop = one.execution_id, one.attempt, one.stop
        see_to(lambda: endings.forced(execution_id, attempt, stop=stop, now=clock.now()))

    def culprit(self, pid: int) -> UUID | None:
        """What the dead process ``pid`` was at, if it was at anything."""
        for one in self.seats.taken() if self.seats else ():
            if one.pid == pid:
                self.blame(one)
        return self._culprits.get(pid)

    def blame(self, one: Taken) -> None:
        self._culprits[one.pid] = one.execution_id

    def _kill(self, one: Taken) -> None:
        self.blame(one)
        self.killed.add((one.execution_id, one.pid))
        if self.nursery is not None:
            self.nursery.kill(one.pid)
        one.clear()
        self.died()

    def _leave(self, one: Held) -> None:
        """A thread cannot be killed: tell it to stop, in case that it still can."""
        one.context.stop.set()
        leases.keeper.remove(one)
        leases.watcher.remove(one)
        self._left = [left for left in [*self._left, one] if not left.over]
        self.hung(len(self._left))


def _settle(execution_id: UUID, *, pid: int, how: str, guilty: bool) -> None:
    end = endings.crashed if guilty else endings.interrupted
    end(execution_id, worker=_force.worker, pid=pid, how=how, now=clock.now())


_force = _Force()

"""Stopping Python code in the main thread of a pool child: at its time limit, or when told to."""

from __future__ import annotations

import os
import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from jobs.kinds.base import InterruptError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType


class TimeLimitError(InterruptError):
    """The job ran longer than it may."""


class StoppedError(InterruptError):
    """The attempt was cancelled, lost its lease, or its worker stops."""


AGAIN_SECONDS = 1.0  # code that swallowed the alarm is alarmed again
SHORTEST_SECONDS = 0.01  # an alarm in no time at all would be none


@contextmanager
def interruptible(look: Callable[[], float]) -> Iterator[None]:
    """Interrupt the block when ``look`` raises.

    ``look()`` returns after how many seconds it wants to be asked again; ``interrupt`` has it asked
    at once. After a freeze it is asked before the block goes on. Signals reach only the main
    thread. Elsewhere (the threads fleet) this does nothing: kinds that wait for others keep their
    own deadline and watch ``context.stop``.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def on_alarm(signum: int, frame: FrameType | None) -> None:
        signal.setitimer(signal.ITIMER_REAL, AGAIN_SECONDS, AGAIN_SECONDS)
        signal.setitimer(signal.ITIMER_REAL, max(look(), SHORTEST_SECONDS), AGAIN_SECONDS)

    signal.signal(signal.SIGALRM, on_alarm)
    signal.setitimer(signal.ITIMER_REAL, max(look(), SHORTEST_SECONDS), AGAIN_SECONDS)
    try:
        try:
            yield
        finally:
            disarm()
    finally:
        disarm()  # once more: the alarm may have come just before the other


def disarm() -> None:
    """Ignore alarms: one that comes late must not end the process."""
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, signal.SIG_IGN)


def interrupt() -> None:
    """Look in the block of ``interruptible`` in this process, from any thread of it."""
    if signal.getsignal(signal.SIGALRM) not in {signal.SIG_DFL, signal.SIG_IGN, None}:
        os.kill(os.getpid(), signal.SIGALRM)

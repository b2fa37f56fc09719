"""Stopping Python code in the main thread of a pool child: at its time limit, or when told to."""

from __future__ import annotations

import os
import signal
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from jobs.kinds.base import InterruptError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

    from jobs.kinds.base import Context


class TimeLimitError(InterruptError):
    """The job ran longer than it may."""


class StoppedError(InterruptError):
    """The attempt was cancelled or lost its lease; its outcome no longer counts."""


AGAIN_SECONDS = 1.0  # code that swallowed the alarm is alarmed again


@contextmanager
def interruptible(context: Context) -> Iterator[None]:
    """Raise inside the block when the time limit passes or ``interrupt`` is called.

    Signals reach only the main thread. Elsewhere (the threads fleet) this does nothing: kinds
    that wait for others keep their own deadline and watch ``context.stop``.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    seconds = context.timeout.total_seconds()
    deadline = time.monotonic() + seconds

    def on_alarm(signum: int, frame: FrameType | None) -> None:
        if context.stop.is_set():
            raise StoppedError("the attempt was stopped")
        if time.monotonic() >= deadline:  # else it was meant for the attempt before this one
            raise TimeLimitError(f"ran longer than {seconds:g} s")

    signal.signal(signal.SIGALRM, on_alarm)
    signal.setitimer(signal.ITIMER_REAL, seconds, AGAIN_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, signal.SIG_IGN)  # a late one must not end the process


def interrupt() -> None:
    """Raise in the block of ``interruptible`` in this process, from any thread of it."""
    if signal.getsignal(signal.SIGALRM) not in {signal.SIG_DFL, signal.SIG_IGN, None}:
        os.kill(os.getpid(), signal.SIGALRM)

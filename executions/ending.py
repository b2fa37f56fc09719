"""How a beat ends when it is told to by a signal."""

from __future__ import annotations

import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType


class Ending:
    """Lets a signal end this process where nothing is cut in two: between ticks and in a wait.

    Celery's own handler raises ``SystemExit`` wherever the signal finds the process. Amid a
    statement that leaves the connection amid its exchange; what unwinds then raises another error
    in its stead, and the beat would live on. A second signal ends it at once all the same.
    """

    def __init__(self) -> None:
        self._asked = False
        self._waits = False

    def follow(self) -> None:
        """Answer SIGTERM and SIGINT from now on."""
        for signum in (signal.SIGTERM, signal.SIGINT):
            signal.signal(signum, self.ask)

    def ask(self, _signum: int, _frame: FrameType | None) -> None:
        """End the process, now or soon; a signal handler."""
        if self._asked or self._waits:
            raise SystemExit
        self._asked = True

    def check(self) -> None:
        """Raise ``SystemExit`` when it was asked for."""
        if self._asked:
            raise SystemExit

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Let a signal end the process at once in this time."""
        self._waits = True
        try:
            self.check()
            yield
        finally:
            self._waits = False

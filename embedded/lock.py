"""One supervisor per data directory."""

from __future__ import annotations

import fcntl
import os
import time
from typing import TYPE_CHECKING

from embedded.errors import StartError
from embedded.running import born

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LONGEST_STOP = 90.0  # seconds; what a watchdog may need to stop everything in order


class Lock:
    """Held from ``take`` to the end of the process and of the watchdog, which inherits it.

    The file names the holder and when that process began, so that a live holder is told
    from a watchdog that is cleaning up after a dead one.
    """

    def __init__(self, data_dir: Path) -> None:
        self.fd = os.open(data_dir / "lock", os.O_RDWR | os.O_CREAT, 0o600)

    def take(self, say: Callable[[str], None]) -> None:
        """Take the lock; wait for a watchdog that is still stopping what a killed start left.

        Raises ``StartError`` when another start is alive.
        """
        deadline = time.monotonic() + LONGEST_STOP
        told = False
        while not self._try():
            holder = self._holder()
            if holder or time.monotonic() > deadline:
                raise StartError(
                    f"Chronos already runs on this data directory (process {holder or 'unknown'}): "
                    "stop it there, or give this one its own CHRONOS_DATA_DIR and CHRONOS_PORT."
                )
            if not told:
                say("the previous start is still being stopped; waiting for it")
                told = True
            time.sleep(0.1)
        self._write(f"{os.getpid()} {born(os.getpid())}")

    def held(self) -> bool:
        """Whether a start is alive on this data directory."""
        if self._try():
            fcntl.flock(self.fd, fcntl.LOCK_UN)
            return False
        return self._holder() is not None

    def ending(self) -> None:
        """From now on a new start waits instead of giving up."""
        self._write("")

    def _try(self) -> bool:
        try:
            fcntl.flock(self.fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _write(self, text: str) -> None:
        os.ftruncate(self.fd, 0)
        os.pwrite(self.fd, text.encode(), 0)

    def _holder(self) -> str | None:
        pid, _, began = os.pread(self.fd, 200, 0).decode().partition(" ")
        return pid if pid and born(int(pid)) == began else None

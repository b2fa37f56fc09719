"""A small process that outlives the supervisor, if only to stop what a killed one left behind.

It reads from a pipe whose other end the supervisor holds. The end of that pipe means that the
supervisor is gone, in whatever way; what the register then still names is stopped in order.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

from embedded.running import Register, stop_in_order

ROOT = Path(__file__).resolve().parent.parent


class Watchdog:
    """Starts the process, and a new one should it die.

    It keeps ``keep_open`` (the descriptor of the data directory's lock) until it is done, so that a
    new start waits for it. ``delete`` is a directory to remove at the end.
    """

    def __init__(
        self, register: Path, *, keep_open: tuple[int, ...] = (), delete: Path | None = None
    ) -> None:
        self._argv = [sys.executable, "-m", "embedded.watchdog", str(register)]
        self._argv += [str(delete)] if delete else []
        self._keep_open = keep_open
        self._process = self._start()

    @property
    def pid(self) -> int:
        return self._process.pid

    def look(self) -> None:
        """Start it again if it died."""
        if self._process.poll() is not None:
            self._process = self._start()

    def dismiss(self) -> None:
        """Let it finish, after everything was stopped, and wait for it."""
        self._process.communicate()

    def _start(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(  # noqa: S603  our own module
            self._argv,
            cwd=ROOT,
            stdin=subprocess.PIPE,
            start_new_session=True,
            pass_fds=self._keep_open,
        )


def main() -> None:
    """``python -m embedded.watchdog REGISTER [DIRECTORY]``"""
    for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(signum, signal.SIG_IGN)  # its time ends with the supervisor's
    while os.read(sys.stdin.fileno(), 1024):
        pass
    register = Register(Path(sys.argv[1]))
    left = register.read()
    if any(one.alive() for one in left):
        _say("the supervisor is gone; stopping what it left")
    stop_in_order(left, say=lambda one, text: _say(f"{one.name} {text}"))
    for directory in sys.argv[2:]:
        shutil.rmtree(directory, ignore_errors=True)


def _say(text: str) -> None:
    try:
        os.write(sys.stderr.fileno(), f"chronos: {text}\n".encode())
    except OSError:
        return  # the terminal is gone as well


if __name__ == "__main__":
    main()

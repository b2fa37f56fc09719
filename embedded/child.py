"""One process of a part and the two threads that follow it: its lines, its end."""

from __future__ import annotations

import signal
import subprocess
import threading
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING

from embedded.running import Running

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from embedded.part import Part

ROOT = Path(__file__).resolve().parent.parent
KEPT_LINES = 50


class Child:
    """Started when made. Its session is its own, so Ctrl-C in a terminal does not reach it.

    ``on_line`` and ``on_exit`` are called from threads.
    """

    def __init__(
        self,
        part: Part,
        environment: Mapping[str, str],
        *,
        on_line: Callable[[str, str], None],
        on_exit: Callable[[Child], None],
    ) -> None:
        self.part = part
        self.lines: deque[str] = deque(maxlen=KEPT_LINES)
        self._on_line = on_line
        self._process = subprocess.Popen(  # noqa: S603  a part is our own data
            part.argv,
            cwd=part.cwd or ROOT,
            env={**environment, **part.env},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            user=part.user,
            group=part.group,
            extra_groups=None if part.user is None else [],
        )
        self.running = Running.of(part, self._process.pid)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        threading.Thread(target=self._wait, args=[on_exit], daemon=True).start()

    @property
    def status(self) -> int | None:
        """The exit status, negative for a signal; ``None`` while it runs."""
        return self._process.returncode

    @property
    def fate(self) -> str:
        """How it ended, in words."""
        status = self.status or 0
        if status < 0:
            return f"was killed by {signal.Signals(-status).name}"
        return f"ended with status {status}"

    def _read(self) -> None:
        if self._process.stdout is None:
            return
        with self._process.stdout as lines:
            for raw in lines:
                line = raw.decode("utf-8", errors="replace").rstrip()
                if line:
                    self.lines.append(line)
                    self._on_line(self.part.name, line)

    def _wait(self, on_exit: Callable[[Child], None]) -> None:
        self._process.wait()
        self.running.send_group(
            signal.SIGKILL
        )  # what it left in its group holds its ports and pipes
        self._reader.join(
            timeout=2
        )  # seconds; a grandchild in a session of its own may keep the pipe
        on_exit(self)

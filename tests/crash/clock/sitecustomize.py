"""Moves the wall clock of this process whenever a file says by how much.

Python imports this at its start when the directory is on ``PYTHONPATH``. What moves is what Python
reads: ``time.time``, ``datetime.now``, ``date.today``, ``gmtime`` and their kin, in every thread
and in forked children, and so all that Chronos, Celery, Django, kombu and psycopg's Python code
see. What does not: the monotonic clocks, which no operator and no NTP moves either, and what
libraries in C ask the kernel by themselves (libpq, hiredis), which decide nothing by it.
"""

from __future__ import annotations

import os
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import time_machine

VARIABLE = "CHRONOS_CRASH_CLOCK"  # a file with the shift in seconds


def follow(file: Path) -> None:
    """Shift the clock each time that ``file`` changes, and say so in ``file.seen``."""
    traveller: time_machine.travel | None = None
    seen = ""
    while True:
        time.sleep(0.1)
        shift = file.read_text() if file.exists() else ""
        if shift == seen:
            continue
        if traveller is not None:
            traveller.stop()
        seen = shift
        traveller = time_machine.travel(datetime.now(UTC) + timedelta(seconds=float(shift)))
        traveller.start()
        with file.with_suffix(".seen").open("a") as heard:
            heard.write(f"{os.getpid()} {shift} {time.time()}\n")


def start() -> None:
    """Follow the file from a thread of its own."""
    file = Path(os.environ[VARIABLE])
    threading.Thread(target=follow, args=[file], name="clock", daemon=True).start()


if VARIABLE in os.environ:
    start()
    os.register_at_fork(after_in_child=start)

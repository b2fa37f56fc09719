"""A file that many processes append to: what started, and when.

A line is one JSON object, written by one ``write`` with ``O_APPEND``, so lines never mix and one
that was written survives its writer. Its ``at`` is of the clock that all processes of a host share
and that no change of the wall clock moves.
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

VARIABLE = "CHRONOS_CRASH_RECORD"  # where the file is


def append(what: str, **facts: Any) -> None:
    """Record that ``what`` happened now, in this process."""
    line = json.dumps({"what": what, "at": time.monotonic(), "pid": os.getpid()} | facts)
    file = os.open(os.environ[VARIABLE], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        os.write(file, f"{line}\n".encode())
    finally:
        os.close(file)


def lines(path: Path) -> list[dict[str, Any]]:
    """Everything recorded so far, with ``at`` in seconds since the epoch."""
    if not path.exists():
        return []
    epoch = time.time() - time.monotonic()
    whole, _, _begun = path.read_text().rpartition("\n")  # a line may be seen while it is written
    entries = [json.loads(line) for line in whole.splitlines()]
    return [entry | {"at": entry["at"] + epoch} for entry in entries]

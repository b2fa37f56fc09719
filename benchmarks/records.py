"""The file that every job appends to, whoever runs it: which job, which process, and when."""

from __future__ import annotations

import os
import struct
import time
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pathlib import Path

VARIABLE = "BENCH_RECORDS"  # where the file is
LAYOUT = struct.Struct("<qqddd")

_file: int | None = None


class Record(NamedTuple):
    """Instants are Unix times in seconds; ``ended`` is 0.0 in a record of a mere beginning."""

    number: int
    pid: int
    submitted: float
    started: float
    ended: float


class Records:
    """The file as the harness sees it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.write_bytes(b"")

    def count(self) -> int:
        return self.path.stat().st_size // LAYOUT.size

    def read(self, skip: int = 0) -> list[Record]:
        """Return all whole records but the first ``skip``, in the order in which they came."""
        with self.path.open("rb") as file:
            file.seek(skip * LAYOUT.size)
            data = file.read()
        whole = len(data) // LAYOUT.size * LAYOUT.size
        return [Record(*fields) for fields in LAYOUT.iter_unpack(data[:whole])]


def append(record: Record) -> None:
    """Add ``record`` with one write: those of different processes never mix. Some 2 µs."""
    global _file  # noqa: PLW0603  one descriptor a process
    if _file is None:
        _file = os.open(os.environ[VARIABLE], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    os.write(_file, LAYOUT.pack(*record))


def job(index: int, submitted: float = 0.0, milliseconds: int = 0) -> None:
    """What every job does: leave a record; one that takes time leaves one at its start, too."""
    started = time.time()
    begun = Record(index, os.getpid(), submitted, started, 0.0)
    if milliseconds:
        append(begun)
        time.sleep(milliseconds / 1000)
        append(begun._replace(ended=time.time()))
    else:
        append(begun._replace(ended=started))

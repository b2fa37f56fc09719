"""What a contender's jobs have left so far: records on file, rows in SQL; and waiting for more."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.contenders.contender import Contender
    from benchmarks.records import Record, Records
    from benchmarks.servers import Database

POLL_SECONDS = 0.02
POLL_SQL_SECONDS = 0.1


class Watch:
    def __init__(self, contender: Contender, records: Records, database: Database) -> None:
        self._contender = contender
        self._records = records
        self._database = database

    def until(
        self, test: Callable[[list[Record]], bool], seconds: float, *, every: float = 0.05
    ) -> bool:
        """Wait until ``test`` of all records is true; say whether it became so in time."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if test(self._records.read()):
                return True
            time.sleep(every)
        return False

    def until_finished(self, count: int, seconds: float) -> bool:
        """Wait for so many ends of jobs that take no time, at next to no cost."""
        every = POLL_SQL_SECONDS if self._contender.span else POLL_SECONDS
        deadline = time.monotonic() + seconds
        while self.finished() < count:
            if time.monotonic() > deadline:
                return False
            time.sleep(every)
        return True

    def finished(self) -> int:
        """How many jobs that take no time have ended."""
        return self.settled() if self._contender.span else self._records.count()

    def settled(self) -> int:
        """How many jobs are recorded as done in SQL; 0 where nothing is recorded."""
        query = self._contender.settled
        return int(self._database.ask(query)[0]) if query else 0

    def span(self, since: float, skip: int) -> tuple[float, float]:
        """The first start and the last end since the Unix time ``since``, or ``skip`` records."""
        if self._contender.span:
            first, last = self._database.ask(self._contender.span, since)
            return first, last
        found = self._records.read(skip)
        return min(one.started for one in found), max(one.ended for one in found)

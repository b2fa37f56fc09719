"""The output of executions: gathered while they run, stored in chunks, bounded in size."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from threading import Lock
from typing import TYPE_CHECKING, Any

from executions.models import LogChunk
from lib.text import storable

if TYPE_CHECKING:
    from collections.abc import Iterable
    from uuid import UUID


MAX_BYTES = 1024 * 1024  # of one attempt's output; what comes after is dropped and said so
TRUNCATED = "… output truncated: more than 1 MiB\n"


@dataclass(frozen=True, slots=True)
class Chunk:
    """Output of one stream (``stdout``, ``stderr``, ``system``) that arrived together."""

    at: datetime
    stream: str
    text: str

    def as_row(self) -> dict[str, Any]:
        return {"at": self.at, "stream": self.stream, "text": self.text}


class Output:
    """The output of one attempt on its way to the database; any thread may write."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._lock = Lock()
        self._pending: list[tuple[datetime, str, list[str]]] = []
        self._left = MAX_BYTES

    def write(self, stream: str, text: str) -> None:
        """Append ``text``; beyond ``MAX_BYTES`` it is dropped after one line that says so."""
        data = storable(text).encode()
        with self._lock:
            if self._left <= 0 or not data:
                return
            self._add(stream, data[: self._left].decode("utf-8", "ignore"))
            self._left -= len(data)
            if self._left <= 0:
                self._add("system", TRUNCATED)

    def take(self) -> list[Chunk]:
        """Return what has come since the last call, and forget it."""
        with self._lock:
            pending, self._pending = self._pending, []
        return [Chunk(at, stream, "".join(parts)) for at, stream, parts in pending]

    def _add(self, stream: str, text: str) -> None:
        if self._pending and self._pending[-1][1] == stream:
            self._pending[-1][2].append(text)
        else:
            self._pending.append((self._clock(), stream, [text]))


def store(pieces: Iterable[tuple[UUID, int, Chunk]]) -> None:
    """Store chunks of (execution id, attempt) in one statement, so that they can be read live."""
    LogChunk.objects.bulk_create(
        LogChunk(execution_id=execution_id, attempt=attempt, **chunk.as_row())
        for execution_id, attempt, chunk in pieces
    )

"""The output of executions: gathered while they run, stored in chunks, bounded in size.

The head is stored as it comes, for live readers. Of what follows only the tail is kept: in memory,
stored now and then and at the end.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import structlog
from django.db import Error, connection, transaction

from executions.models import LogChunk
from executions.rounds import Rounds

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from uuid import UUID

    from executions.models import Execution

log = structlog.get_logger(__name__)

HEAD_BYTES = TAIL_BYTES = 512 * 1024 - 256  # of an attempt's output; with the gap's line ≤ 1 MiB
PART_BYTES = 64  # what each change of stream is counted as: a million tiny ones are not for free
SLICE = 64 * 1024  # characters that are encoded at once: a huge text is not copied as a whole
TAIL_SECONDS = 15.0  # between two times that the tail of a running attempt is stored
KEPT_ATTEMPTS = 5  # the newest of an execution whose output is kept, besides the first


@dataclass(frozen=True, slots=True)
class Chunk:
    """Output of one stream (``stdout``, ``stderr``, ``system``) that arrived together.

    ``omitted`` bytes were left out at this place; the text says so.
    """

    at: datetime
    stream: str
    text: str
    omitted: int = 0

    def as_row(self) -> dict[str, Any]:
        return {"at": self.at, "stream": self.stream, "text": self.text, "omitted": self.omitted}


class _Part:
    """Bytes of one stream that came in a row, since ``at``."""

    __slots__ = ("at", "data", "stream")

    def __init__(self, at: datetime, stream: str, data: bytes) -> None:
        self.at = at
        self.stream = stream
        self.data = bytearray(data)

    @property
    def text(self) -> str:
        return self.data.decode("utf-8", "ignore")  # a cut may have split a character

    @property
    def cost(self) -> int:
        return len(self.data) + PART_BYTES


class Output:
    """The output of one attempt on its way to the database; any thread may write."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._head: list[_Part] = []  # not yet taken
        self._room = HEAD_BYTES
        self._tail: deque[_Part] = deque()
        self._tail_cost = 0
        self._dropped = 0
        self.written = 0  # bytes after the head
        self.storing = threading.Lock()  # held from taking chunks until they are stored
        self.snapshot = Snapshot()

    def write(self, stream: str, text: str) -> None:
        """Append ``text``. Beyond the head only the newest ``TAIL_BYTES`` are remembered."""
        for start in range(0, len(text), SLICE):
            piece = text[start : start + SLICE].replace("\x00", "\ufffd")
            with self._lock:
                self._append(stream, piece.encode("utf-8", "replace"))

    def take(self) -> list[Chunk]:
        """Return what has come of the head since the last call, and forget it."""
        with self._lock:
            parts, self._head = self._head, []
        return _chunks(parts)

    def put_back(self, chunks: Sequence[Chunk]) -> None:
        """Undo a ``take`` whose chunks could not be stored."""
        parts = [_Part(one.at, one.stream, one.text.encode()) for one in chunks]
        with self._lock:
            self._head[:0] = parts

    def tail(self) -> list[Chunk]:
        """Return what has come after the head, without forgetting it: the gap, then the newest."""
        with self._lock:
            self._shorten(TAIL_BYTES)
            chunks = _chunks(self._tail)
            cut = sum(len(part.data) for part in self._tail)
            omitted = self._dropped + cut - sum(len(one.text.encode()) for one in chunks)
            at = self._tail[0].at if self._tail else None
        if not self._dropped or at is None:
            return chunks
        gap = f"… {omitted:,} bytes left out …\n"
        return [Chunk(at, "system", f"\n{gap}", omitted), *chunks]

    def rest(self) -> list[Chunk]:
        """Return all that is not stored yet: what is left of the head, and the tail."""
        return self.take() + self.tail()

    def _append(self, stream: str, data: bytes) -> None:
        if self._room > 0:
            fits = data[: _cut(data, self._room)]
            new = _add(self._head, stream, fits, clock=self._clock)
            self._room -= len(fits) + new * PART_BYTES
            data = data[len(fits) :]
        if data:
            new = _add(self._tail, stream, data, clock=self._clock)
            self.written += len(data)
            self._tail_cost += len(data) + new * PART_BYTES
            if self._tail_cost > 2 * TAIL_BYTES:  # seldom: each time moves what stays
                self._shorten(TAIL_BYTES)

    def _shorten(self, size: int) -> None:
        while self._tail_cost > size:
            excess = self._tail_cost - size
            first = self._tail[0]
            if first.cost <= excess or len(first.data) <= excess:
                self._tail.popleft()
                self._dropped += len(first.data)
                self._tail_cost -= first.cost
            else:
                del first.data[:excess]
                self._dropped += excess
                self._tail_cost -= excess


def _cut(data: bytes, most: int) -> int:
    """Return where to cut UTF-8 after at most ``most`` bytes without splitting a character."""
    while 0 < most < len(data) and data[most] & 0xC0 == 0x80:  # noqa: PLR2004  UTF-8's own
        most -= 1
    return most


def _add(
    parts: list[_Part] | deque[_Part], stream: str, data: bytes, *, clock: Callable[[], datetime]
) -> bool:
    """Append ``data`` to the last part if it is of the same stream; else say that a new one is."""
    if parts and parts[-1].stream == stream:
        parts[-1].data += data
        return False
    parts.append(_Part(clock(), stream, data))
    return True


def _chunks(parts: Iterable[_Part]) -> list[Chunk]:
    return [Chunk(part.at, part.stream, part.text) for part in parts if part.data]


class Snapshot:
    """The rows that show the tail while its attempt still runs; newer ones replace them."""

    def __init__(self) -> None:
        self.due = time.monotonic() + TAIL_SECONDS
        self.rows: list[int] = []
        self.written = 0


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """An attempt and its output."""

    execution_id: UUID
    attempt: int
    output: Output


@contextmanager
def flushed(execution: Execution, output: Output) -> Iterator[None]:
    """Store what ``output`` is given once a second while the block runs, so that it is live."""
    source = Source(execution.pk, execution.attempt, output)
    flusher.add(source)
    try:
        yield
    finally:
        flusher.remove(source)


def flush(sources: Sequence[Source]) -> None:
    """Store what ``sources`` have written since the last time; what cannot be stored yet stays."""
    try:
        if not sum(_flush(source) for source in sources):
            connection.close()
    except Error as exc:
        log.warning("logs.not_stored", error=repr(exc))
        connection.close()


def _flush(source: Source) -> int:
    """Return how many rows were stored."""
    with source.output.storing:
        chunks = source.output.take()
        try:
            rows = store(source.execution_id, source.attempt, chunks)
        except Error:
            source.output.put_back(chunks)
            raise
        return len(rows) + _show_tail(source)


def _show_tail(source: Source) -> int:
    """Replace the rows that show the tail, if it is time and it has changed."""
    snapshot = source.output.snapshot
    if time.monotonic() < snapshot.due:
        return 0
    snapshot.due = time.monotonic() + TAIL_SECONDS
    written = source.output.written
    if written in {snapshot.written, 0}:
        return 0
    with transaction.atomic():
        LogChunk.objects.filter(pk__in=snapshot.rows).delete()
        rows = store(source.execution_id, source.attempt, source.output.tail())
    snapshot.rows, snapshot.written = rows, written
    return len(rows)


def drop_snapshot(output: Output) -> None:
    """Delete the rows that showed the tail while the attempt ran; now it is stored for good."""
    LogChunk.objects.filter(pk__in=output.snapshot.rows).delete()


def store(execution_id: UUID, attempt: int, chunks: Iterable[Chunk]) -> list[int]:
    """Store ``chunks`` in one statement; return their ids."""
    rows = [
        LogChunk(execution_id=execution_id, attempt=attempt, **chunk.as_row()) for chunk in chunks
    ]
    return [row.pk for row in LogChunk.objects.bulk_create(rows)] if rows else []


def forget_old(execution: Execution) -> None:
    """Delete the output of the attempt that is no longer one of the newest; the first's stays."""
    old = execution.attempt - KEPT_ATTEMPTS
    if old > 1:
        LogChunk.objects.filter(execution=execution, attempt=old).delete()


flusher: Rounds[Source] = Rounds("output", flush)

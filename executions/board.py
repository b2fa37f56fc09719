"""What the pool children of a worker are doing, in memory that they share with its main process.

A child takes its seat when an attempt begins and leaves it when the attempt is settled. The main
process reads the seats, writes until when each lease is kept, and asks for stops.
"""

from __future__ import annotations

import contextlib
import math
import mmap
import os
import signal
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from uuid import UUID

from executions import clock
from executions.stops import Stop

if TYPE_CHECKING:
    from collections.abc import Iterator

SEAT_BYTES: Final = 64
HEADER_BYTES: Final = 64
SEAT = struct.Struct("@IIQddQd16s")  # owner, attempt, token, until, deadline, stop, asked, id
OWNER, ATTEMPT, TOKEN, UNTIL, DEADLINE, STOP, ASKED, ID = 0, 4, 8, 16, 24, 32, 40, 48
INT, LONG, SECONDS = struct.Struct("@I"), struct.Struct("@Q"), struct.Struct("@d")  # whole writes


class Board:
    """The shared memory; made before the pool forks. ``name`` shows in every sharer's memory map.

    Its first byte says that no more work may begin.
    """

    def __init__(self, name: str, *, seats: int) -> None:
        size = HEADER_BYTES + seats * SEAT_BYTES
        self._seats = seats
        if hasattr(os, "memfd_create"):
            file = os.memfd_create(name)
            os.ftruncate(file, size)
            self.memory = mmap.mmap(file, size)
            os.close(file)
        else:
            self.memory = mmap.mmap(-1, size)

    @property
    def closed(self) -> bool:
        return self.memory[0] != 0

    def close(self) -> None:
        """Let nothing more begin."""
        self.memory[0] = 1

    def sit(self, index: int) -> Seat | None:
        """The seat of the calling pool child, whose ``index`` is its own among those alive."""
        if index >= self._seats:
            return None
        seat = Seat(self, index)
        seat.own()
        return seat

    def owners(self) -> set[int]:
        """Processes that are, or were until somebody else took their seat, pool children."""
        return {INT.unpack_from(self.memory, at + OWNER)[0] for at in self._offsets()} - {0}

    def taken(self) -> list[Taken]:
        """The seats whose attempt has not been settled."""
        seen = (self._read(at) for at in self._offsets())
        return [one for one in seen if one is not None]

    def _offsets(self) -> Iterator[int]:
        return iter(range(HEADER_BYTES, HEADER_BYTES + self._seats * SEAT_BYTES, SEAT_BYTES))

    def _read(self, at: int) -> Taken | None:
        raw = self.memory[at : at + SEAT_BYTES]
        if raw != self.memory[at : at + SEAT_BYTES]:  # its owner is writing
            return None
        owner, attempt, token, until, deadline, stop, asked, name = SEAT.unpack(raw)
        if not attempt:
            return None
        asked_for = Stop(stop & 0xFF) if stop >> 8 == token else Stop.NO
        return Taken(
            memory=self.memory,
            at=at,
            token=token,
            pid=owner,
            execution_id=UUID(bytes=name),
            attempt=attempt,
            until=until,
            deadline=deadline,
            stop=asked_for,
            asked=asked if asked_for else math.inf,
        )


class Seat:
    """A pool child's own seat: what it runs, and whether it must stop."""

    def __init__(self, board: Board, index: int) -> None:
        self.board = board
        self._memory = board.memory
        self._at = HEADER_BYTES + index * SEAT_BYTES
        self._token = LONG.unpack_from(self._memory, self._at + TOKEN)[0]

    def own(self) -> None:
        INT.pack_into(self._memory, self._at + ATTEMPT, 0)
        INT.pack_into(self._memory, self._at + OWNER, os.getpid())

    def take(self, execution_id: UUID, attempt: int, *, until: float, deadline: float) -> None:
        self._token += 1
        SEAT.pack_into(
            self._memory,
            self._at,
            *(os.getpid(), 0, self._token, until, deadline, 0, 0.0, execution_id.bytes),
        )
        INT.pack_into(self._memory, self._at + ATTEMPT, attempt)  # last: now it counts

    def leave(self) -> None:
        INT.pack_into(self._memory, self._at + ATTEMPT, 0)

    @property
    def until(self) -> float:
        until: float = SECONDS.unpack_from(self._memory, self._at + UNTIL)[0]
        return until

    @property
    def deadline(self) -> float:
        deadline: float = SECONDS.unpack_from(self._memory, self._at + DEADLINE)[0]
        return deadline

    @property
    def stop(self) -> Stop:
        asked: int = LONG.unpack_from(self._memory, self._at + STOP)[0]
        return Stop(asked & 0xFF) if asked >> 8 == self._token else Stop.NO

    def give_up(self, why: Stop) -> None:
        if not self.stop:
            SECONDS.pack_into(self._memory, self._at + ASKED, clock.ticks())
            LONG.pack_into(self._memory, self._at + STOP, self._token << 8 | why)

    def finish(self) -> None:
        """The job is over; its outcome is being recorded, which nobody may interrupt."""
        SECONDS.pack_into(self._memory, self._at + DEADLINE, 0.0)


@dataclass(slots=True)
class Taken:
    """An attempt in a pool child, as the main process saw it a moment ago.

    ``until``, ``deadline`` and ``asked`` (when a stop was asked for) are in ``clock.ticks``.
    """

    memory: mmap.mmap
    at: int
    token: int
    pid: int
    execution_id: UUID
    attempt: int
    until: float
    deadline: float
    stop: Stop
    asked: float

    @property
    def settling(self) -> bool:
        return self.deadline == 0

    def keep_until(self, until: float) -> None:
        if self._current():
            self.until = until
            SECONDS.pack_into(self.memory, self.at + UNTIL, until)

    def give_up(self, why: Stop) -> None:
        """Ask the child to stop its job."""
        if self.stop or self.settling or not self._current():
            return
        self.stop, self.asked = why, clock.ticks()
        SECONDS.pack_into(self.memory, self.at + ASKED, self.asked)
        LONG.pack_into(self.memory, self.at + STOP, self.token << 8 | why)
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGALRM)

    def clear(self) -> None:
        """Free the seat of a child that is dead."""
        if self._current():
            INT.pack_into(self.memory, self.at + ATTEMPT, 0)

    def _current(self) -> bool:
        token: int = LONG.unpack_from(self.memory, self.at + TOKEN)[0]
        return token == self.token


mine: Seat | None = None  # of this process, if it is a pool child

"""Which waiting executions of a queue may go to a worker now; one process at a time decides."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Count

from executions import limits, overlaps, transitions
from executions.models import Execution, Queue, Status, blocked, lines
from executions.models.fleet import fleet_of, io_kinds
from jobs.kinds.base import Fleet
from jobs.models import loaded

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

SMALLEST_WINDOW = 500
SLOTS_AHEAD = 3  # the window is so many times the slots of the fleet: none waits for a message
SPARE = 50  # looked at beyond the room, because some of them will be set aside

UNBOUNDED = sys.maxsize
ARCHIVED = "the archive of its job"  # who cancels what still waits


@dataclass(frozen=True, slots=True)
class Admitted:
    """``ready`` are queued now and need a message; ``handled`` counts those set aside as well."""

    ready: Sequence[Execution] = ()
    handled: int = 0


@dataclass(slots=True)
class Room:
    """How many more executions of a queue may be in flight: of each fleet, and in all."""

    fleets: dict[Fleet, int]
    total: int

    def of(self, fleet: Fleet) -> int:
        return max(0, min(self.fleets[fleet], self.total))

    def take(self, fleet: Fleet) -> None:
        self.fleets[fleet] -= 1
        self.total -= 1


@transaction.atomic
def admit(name: str, *, now: datetime, limit: int, slots: Mapping[str, int]) -> Admitted:
    """Queue what may start from the queue ``name``, and set aside what may not.

    ``slots`` says how many executions each living fleet runs at once. Does nothing while another
    process decides about this queue, or while it is paused: the row of the queue is locked, so
    any number of processes together never let in more than its window and its concurrency.
    """
    queue = Queue.objects.open().filter(pk=name).lock_free(1).first()
    ready: list[Execution] = []
    handled = 0
    while queue and handled < limit:
        room = room_in(queue, slots)
        passed, aside = _decide(_next(queue, room, now=now, limit=limit - handled), room, now=now)
        ready += passed
        handled += len(passed) + aside
        if not aside:  # nobody made place: the room is full, or nobody waits
            break
    return Admitted(ready, handled)


@transaction.atomic
def admit_one(execution: Execution, *, now: datetime, slots: Mapping[str, int]) -> Admitted:
    """Queue ``execution`` if it is due and nobody else would have to wait for it; as ``admit``."""
    queue = Queue.objects.open().filter(pk=execution.queue).lock_free(1).first()
    if queue is None:
        return Admitted()
    room = room_in(queue, slots)
    most = room.of(execution.fleet)
    waiting = lines.oldest(queue.pk, now=now, limit=most + 1)
    if len(waiting) > most or execution.pk not in waiting:
        return Admitted()
    passed, aside = _decide(_locked([execution.pk]), room, now=now)
    return Admitted(passed, len(passed) + aside)


def room_in(queue: Queue, slots: Mapping[str, int]) -> Room:
    """Count what ``queue`` has in flight, and return how much more it lets in.

    The window is each fleet's own: work that nobody consumes must not hold up the other fleet.
    """
    counted = Execution.objects.in_flight().filter(queue=queue.pk).values_list("kind", "status")
    fleets = {
        fleet: queue.window or max(SMALLEST_WINDOW, SLOTS_AHEAD * slots.get(fleet, 0))
        for fleet in Fleet
    }
    total = queue.concurrency or UNBOUNDED
    for kind, status, number in counted.annotate(Count("pk")):
        total -= number
        if status == Status.QUEUED:
            fleets[fleet_of(kind)] -= number
    return Room(fleets, total)


def _next(queue: Queue, room: Room, *, now: datetime, limit: int) -> list[Execution]:
    """Lock who is next in line: in any order when there is room for all, else by rank."""
    wanted = {fleet: min(limit, room.of(fleet)) for fleet in Fleet}
    if not any(wanted.values()):
        return []
    fits = min(wanted.values())
    ids = lines.oldest(queue.pk, now=now, limit=fits + 1)
    if len(ids) <= fits:
        return sorted(_locked(ids), key=lambda row: (row.lane_at(now), row.priority, row.due_at))
    seen = {fleet: number and min(limit, number + SPARE) for fleet, number in wanted.items()}
    return _locked(
        lines.next_in_line(
            queue.pk,
            now=now,
            io_kinds=io_kinds(),
            io=seen[Fleet.IO],
            compute=seen[Fleet.COMPUTE],
        )
    )


def _locked(ids: Sequence[UUID]) -> list[Execution]:
    """Lock what still waits of ``ids``, in their order; a row that somebody holds is left out.

    Those that are free have what decides about room, and what a message needs; the others, what
    decides about them.
    """
    found = {}
    for *values, is_free in lines.lock(ids):
        row = found[values[0]] = loaded(Execution, zip(lines.LOCKED, values, strict=True))
        row.is_free = is_free
    hindered = [pk for pk, row in found.items() if not row.is_free]
    if hindered:
        found |= Execution.objects.with_rules().in_bulk(hindered)
    return [found[pk] for pk in ids if pk in found]


def _decide(rows: Sequence[Execution], room: Room, *, now: datetime) -> tuple[list[Execution], int]:
    """Queue those of the locked ``rows`` that may go; return them, and how many were set aside."""
    weighed = [row for row in rows if not row.is_free]
    for row in weighed:
        if row.job.archived_at:
            transitions.cancel(row, now=now, actor=ARCHIVED, reason="job_archived")
    wanted = [row for row in weighed if not row.job.archived_at]
    passed, marks, stay = overlaps.settle(wanted, now=now)
    gate = limits.Gate(passed, now)
    may_pass = set(passed)
    ready = []
    for row in rows:
        if room.of(row.fleet) and (row.is_free or (row in may_pass and not gate.stops(row))):
            room.take(row.fleet)
            row.lane = row.lane_at(now)
            ready.append(row)
    transitions.queue_all(ready, now=now)
    marks |= gate.marks
    blocked.block(marks)
    return ready, len(weighed) - len(passed) - len(stay) + len(gate.marks)

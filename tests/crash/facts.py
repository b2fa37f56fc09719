"""What the verdict compares: promises, records of both sides, and when something broke.

All instants are aware UTC, of clocks on one host.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Sequence

Slot: TypeAlias = tuple[str, datetime]
"""A schedule's id and one of its instants."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What was promised.

    ``executions`` are the ids whose write was answered, ``slots`` what schedules owe.
    ``at_most_once`` are ids that must not start twice, whatever happens (``on_lost: fail``).
    ``may_fail`` are ids that need not succeed, only finish: lost at most once, cancelled, poison.
    ``may_skip`` are schedules whose slots may be skipped, with a reason.
    """

    executions: frozenset[str] = frozenset()
    slots: frozenset[Slot] = frozenset()
    at_most_once: frozenset[str] = frozenset()
    may_fail: frozenset[str] = frozenset()
    may_skip: frozenset[str] = frozenset()

    @property
    def n(self) -> int:
        return len(self.executions) + len(self.slots)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionRow:
    """An execution; ``wrote`` is the attempt that its result names, ``until`` a stretch's end."""

    id: str
    status: str
    reason: str = ""
    schedule: str | None = None
    slot: datetime | None = None
    until: datetime | None = None
    finished_at: datetime | None = None
    wrote: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptRow:
    execution: str
    number: int
    started_at: datetime
    finished_at: datetime | None = None
    outcome: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    execution: str
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """What the target saw: an attempt really began."""

    execution: str
    attempt: int
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """All records of both sides, in any order."""

    executions: Sequence[ExecutionRow] = ()
    attempts: Sequence[AttemptRow] = ()
    events: Sequence[Event] = ()
    starts: Sequence[Start] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """When the fault began and when what it broke was whole again."""

    began_at: datetime
    healed_at: datetime

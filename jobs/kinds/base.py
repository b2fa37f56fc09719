"""What a kind is: a payload it takes, and how it runs one attempt to an outcome."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from enum import StrEnum
from threading import Event
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime, timedelta
    from uuid import UUID

    from rest_framework.serializers import Serializer


class Fleet(StrEnum):
    """Which workers run a kind: threads that wait for others, or processes that compute."""

    IO = "io"
    COMPUTE = "compute"


@dataclass(frozen=True, slots=True)
class Succeeded:
    """The work is done; ``result`` is JSON that is shown and kept."""

    result: Any = None


@dataclass(frozen=True, slots=True)
class Failed:
    """The work went wrong in a way that was foreseen.

    ``reason`` is a stable word (``timeout``, ``bad_status``, ``raised``, …), ``message`` says it
    for people, ``trace`` may hold a traceback. ``labels`` are further words by which a job may
    name it in ``retry_on`` and ``give_up_on``: ``503``, ``5xx``, ``ValueError``. ``retry_in``
    replaces the delay that the job's retry policy would compute, ``max_attempts`` its budget.
    ``result`` keeps what there is to see of the failed try.
    """

    reason: str
    message: str = ""
    retryable: bool = True
    retry_in: timedelta | None = None
    max_attempts: int | None = None
    trace: str = ""
    result: Any = None
    labels: tuple[str, ...] = ()

    @property
    def words(self) -> frozenset[str]:
        """Every word that names this failure."""
        return frozenset([self.reason, *self.labels])


def class_names(exc: BaseException) -> tuple[str, ...]:
    """Return the names of the exception's class and its bases, the nearest first, as labels.

    Each is there twice, as ``TimeoutError`` and as ``builtins.TimeoutError``.
    """
    classes = [one for one in type(exc).__mro__ if one not in (BaseException, object)]
    return tuple(
        name for one in classes for name in (one.__name__, f"{one.__module__}.{one.__qualname__}")
    )


@dataclass(frozen=True, slots=True)
class Waiting:
    """Somebody else finishes this; it fails if nobody has by ``until``."""

    until: datetime


Outcome: TypeAlias = Succeeded | Failed | Waiting


class InterruptError(BaseException):
    """Raised inside a kind by the worker that ends it: time is up, or the attempt was stopped.

    It is not the job's own, so ``except Exception`` in a job does not catch it.
    """


@dataclass(slots=True)
class Context:
    """What a kind may know about the attempt it runs, and how it writes output.

    ``failures`` counts the failed tries before this one. ``stop`` is set when the attempt was
    cancelled or lost its lease: whatever still runs must end, its outcome no longer counts.
    ``write(stream, text)`` appends to the execution's output; use ``log`` for one line.
    """

    execution_id: UUID
    job_id: UUID
    attempt: int
    failures: int
    scheduled_for: datetime | None
    timeout: timedelta
    write: Callable[[str, str], None]
    stop: Event = field(default_factory=Event)

    def log(self, line: str) -> None:
        self.write("system", f"{line}\n")


class Kind(ABC):
    """One sort of job. Subclass it in a module of its own that ends with ``KIND = TheKind()``."""

    name: ClassVar[str]
    label: ClassVar[str]
    payload: ClassVar[type[Serializer[Any]]]
    fleet: ClassVar[Fleet] = Fleet.IO
    reasons: ClassVar[tuple[str, ...]] = ()
    """The reasons of its own that its ``Failed`` may have; ``timeout`` and ``raised`` any has."""

    @abstractmethod
    def run(self, payload: dict[str, Any], context: Context) -> Outcome:
        """Run one attempt. Expected trouble is a ``Failed``; surprises raise."""

"""What may befall a process while it takes one step: death, a database or a broker that fails."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from celery import current_app
from django.db import OperationalError, connection
from kombu.exceptions import BatchPublishError
from kombu.exceptions import OperationalError as BrokerError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Mishap(StrEnum):
    """``BEFORE`` to ``NO_ANSWER`` strike at a statement, the next three when messages are sent.

    ``NO_ANSWER``: the statement was done, the process hears of an error. ``UNCERTAIN``: the same
    of a publication. ``OVERTAKEN``: another process does a whole step before the statement.
    """

    BEFORE = "dies before"
    AFTER = "dies after"
    COMMITTED = "dies once committed"
    NO_DATABASE = "no database"
    NO_ANSWER = "no answer"
    NO_BROKER = "no broker"
    MUTE = "dies before publishing"
    UNCERTAIN = "uncertain publication"
    OVERTAKEN = "overtaken"


OF_BROKER = frozenset({Mishap.NO_BROKER, Mishap.MUTE, Mishap.UNCERTAIN})


class Died(BaseException):
    """The process that took the step is gone; a transaction that it had open is rolled back."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong, and at which statement of the step (from 1)."""

    mishap: Mishap
    at: int = 1


@contextmanager
def befalls(fault: Fault | None, overtake: Callable[[], None]) -> Iterator[None]:
    """Let ``fault`` strike what the block does; ``overtake`` does another process's step."""
    if fault is None:
        yield
    elif fault.mishap in OF_BROKER:
        with _broken_broker(fault.mishap):
            yield
    else:
        with connection.execute_wrapper(_Striker(fault, overtake)):
            yield


class _Striker:
    """Counts a step's statements and strikes when the fault's turn has come, once."""

    def __init__(self, fault: Fault, overtake: Callable[[], None]) -> None:
        self._fault = fault
        self._overtake = overtake
        self._count = 0

    def __call__(
        self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any
    ) -> Any:
        self._count += 1
        if self._count != self._fault.at:
            return execute(sql, params, many, context)
        self._strike_before()
        answer = execute(sql, params, many, context)
        self._strike_after()
        return answer

    def _strike_before(self) -> None:
        match self._fault.mishap:
            case Mishap.BEFORE:
                raise Died
            case Mishap.NO_DATABASE:
                raise OperationalError("the simulated database is away")
            case Mishap.COMMITTED if connection.in_atomic_block:
                connection.on_commit(_die)
            case Mishap.OVERTAKEN:
                self._overtake()

    def _strike_after(self) -> None:
        match self._fault.mishap:
            case Mishap.AFTER:
                raise Died
            case Mishap.COMMITTED if not connection.in_atomic_block:
                raise Died
            case Mishap.NO_ANSWER:
                raise OperationalError("the simulated database took its answer with it")


def _die() -> None:
    raise Died


class _BrokenPool:
    """Stands between dispatch and its producers, where a network would fail."""

    def __init__(self, pool: Any, mishap: Mishap) -> None:
        self._pool = pool
        self._mishap = mishap

    @contextmanager
    def acquire(self, **options: Any) -> Iterator[Any]:
        if self._mishap is Mishap.NO_BROKER:
            raise BrokerError("the simulated broker is away")
        if self._mishap is Mishap.MUTE:
            raise Died
        with self._pool.acquire(**options) as producer:
            yield producer
        raise BatchPublishError("the simulated broker took its answer with it")


@contextmanager
def _broken_broker(mishap: Mishap) -> Iterator[None]:
    whole = current_app.producer_pool
    current_app.amqp._producer_pool = _BrokenPool(whole, mishap)
    try:
        yield
    finally:
        current_app.amqp._producer_pool = whole

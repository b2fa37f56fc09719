"""A thread that looks after what its process holds, again and again while it holds anything."""

from __future__ import annotations

import os
import threading
import time
from typing import TYPE_CHECKING, Generic, TypeVar

import structlog

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

log = structlog.get_logger(__name__)

T = TypeVar("T")


class Rounds(Generic[T]):
    """Calls ``duty`` with all that is held, every ``seconds``; the first time after as long.

    When nothing is held any more it is called once with nothing.

    A forked child starts with nothing held and no thread.
    """

    def __init__(
        self, name: str, duty: Callable[[Sequence[T]], object], *, seconds: float = 1.0
    ) -> None:
        self._name = name
        self._duty = duty
        self._seconds = seconds
        self._forget()
        os.register_at_fork(after_in_child=self._forget)

    def add(self, one: T) -> None:
        with self._changed:
            self._held.add(one)
            self._wake()

    def remove(self, one: T) -> None:
        with self._changed:
            self._held.discard(one)

    def follow(self, source: Callable[[], Iterable[T]]) -> None:
        """From now on look also after what ``source`` returns in each round."""
        with self._changed:
            self._sources.append(source)
            self._wake()

    def held(self) -> list[T]:
        """All that is held at this moment."""
        with self._changed:
            return [*self._held, *(one for source in self._sources for one in source())]

    def _forget(self) -> None:
        self._held: set[T] = set()
        self._sources: list[Callable[[], Iterable[T]]] = []
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def _wake(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._go_round, name=self._name, daemon=True)
            self._thread.start()
        self._changed.notify()

    def _go_round(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._held or self._sources)
            while self._look_after():
                pass

    def _look_after(self) -> bool:
        """Do the duty; the last time with nothing held, so that it may put away what it used."""
        time.sleep(self._seconds)
        held = self.held()
        try:
            self._duty(held)
        except Exception:  # without this thread everything that it looks after would lapse
            log.exception("rounds.failed", rounds=self._name)
        return bool(held)

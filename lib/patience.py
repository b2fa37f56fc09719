"""How long code waits for one answer of PostgreSQL, where that differs from its process."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

FOR_EVER = 0.0

_own: ContextVar[float | None] = ContextVar("patience", default=None)


@contextmanager
def patience(seconds: float) -> Iterator[None]:
    """Wait up to ``seconds`` for each answer within the block, or ``FOR_EVER``.

    Holds for this thread, not for those that the block starts.
    """
    token = _own.set(seconds)
    try:
        yield
    finally:
        _own.reset(token)


def own_patience() -> float | None:
    """Return the seconds of the innermost block, ``None`` outside of all."""
    return _own.get()

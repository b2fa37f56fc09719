"""What must be written down in any case: tried in a thread until the database takes it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog
from django.db import InterfaceError, OperationalError, connection

from executions import clock, leases
from executions.rounds import Rounds

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

log = structlog.get_logger(__name__)

PATIENCE_LEASES = 20  # how long a chore waits for a database that is away


@dataclass(frozen=True, slots=True, eq=False)
class Chore:
    """Something to do, tried until it succeeds or ``until`` in ``clock.ticks``."""

    do: Callable[[], object]
    until: float


def see_to(do: Callable[[], object]) -> None:
    """Call ``do`` soon, in a thread of this process, and again while the database is away."""
    _chores.add(Chore(do, clock.ticks() + leases.seconds() * PATIENCE_LEASES))


def _do(chores: Sequence[Chore]) -> None:
    for chore in sorted(chores, key=lambda chore: chore.until):
        try:
            chore.do()
        except (OperationalError, InterfaceError) as exc:
            log.warning("chore.database_away", error=repr(exc))
            connection.close()
            if clock.ticks() < chore.until:
                continue
        except Exception:
            log.exception("chore.failed")
        _chores.remove(chore)
    connection.close()


_chores: Rounds[Chore] = Rounds("chores", _do, seconds=0.2)

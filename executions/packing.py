"""Dealing executions out to messages: one each, or several where workers have enough to do."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from jobs.policies import OnLost

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from executions.models import Execution

MOST = 50  # executions in a message; it costs a worker and the broker as much as one alone
MESSAGES_A_SLOT = 3  # so that who is done early finds more


def pack(executions: Sequence[Execution], slots: Mapping[str, int]) -> Iterator[list[Execution]]:
    """Yield the executions of each message, in order within a lane of the broker.

    ``slots`` says how many executions each fleet runs at once; without it each has a message to
    itself. So has what may not start twice, or has lost a worker before: nobody else may have to
    pay for it, nor it for others.
    """
    lanes: dict[tuple[object, ...], list[Execution]] = defaultdict(list)
    for row in executions:
        if slots and _may_share(row):
            lanes[row.queue, row.fleet.value, row.lane, row.publish_at].append(row)
        else:
            yield [row]
    for (_, fleet, *_), rows in lanes.items():
        size = _size(len(rows), slots.get(str(fleet), 0))
        yield from (rows[at : at + size] for at in range(0, len(rows), size))


def _may_share(row: Execution) -> bool:
    return row.is_free or (not row.losses and row.version.on_lost != OnLost.FAIL)


def _size(executions: int, slots: int) -> int:
    if not slots:
        return 1
    return min(MOST, -(-executions // (slots * MESSAGES_A_SLOT)))

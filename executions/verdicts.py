"""Whether the whole works: the worst thing that is wrong, in a word and a sentence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from jobs.kinds.base import Fleet

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from executions.standing import Line


@dataclass(frozen=True, slots=True)
class Verdict:
    """``status`` is ``ok``, ``degraded`` or ``down``; ``code`` names the cause."""

    status: str
    code: str
    sentence: str


def verdict(queues: Sequence[Line], *, scheduler: bool, fleets: set[str], dead: int) -> Verdict:
    """Name the worst thing that is wrong, or say that nothing is.

    ``scheduler`` says whether a beat is alive, ``fleets`` which fleets have a worker that is,
    ``dead`` how many dead letters nobody has resolved.
    """
    troubles = [*_missing(scheduler, fleets), *_stuck(queues)]
    if troubles:
        return troubles[0]
    if dead:
        waits = "1 dead letter waits" if dead == 1 else f"{dead} dead letters wait"
        return Verdict("ok", "dead_letters", f"Chronos works. {waits} to be resolved.")
    return Verdict("ok", "ok", "Chronos works.")


def _missing(scheduler: bool, fleets: set[str]) -> Iterator[Verdict]:
    if not scheduler:
        yield Verdict("down", "no_scheduler", "No scheduler is alive; nothing starts by itself.")
    if not fleets:
        yield Verdict("down", "no_worker", "No worker is alive; nothing runs.")
    for fleet in sorted(set(Fleet) - fleets):
        yield Verdict("degraded", "no_worker", f"No worker of the fleet {fleet} is alive.")


def _stuck(queues: Sequence[Line]) -> Iterator[Verdict]:
    for line in queues:
        if line.paused and line.waiting:
            sentence = f"The queue {line.name} is paused while {line.waiting} executions wait."
            yield Verdict("degraded", "queue_paused", sentence)
    for line in sorted(queues, key=lambda line: line.late, reverse=True):
        if line.late:
            since = f"{line.oldest_due_at:%Y-%m-%d %H:%M} UTC"
            sentence = f"In the queue {line.name} {line.late} executions are late, since {since}."
            yield Verdict("degraded", "late", sentence)

"""Why an attempt is stopped before it ends by itself."""

from __future__ import annotations

from enum import IntEnum


class Stop(IntEnum):
    """``NO`` is false: nobody asked. ``GONE``: cancelled, or somebody else's by now."""

    NO = 0
    GONE = 1
    LEASE = 2
    WORKER = 3

    @property
    def words(self) -> str:
        return _WORDS[self]


_WORDS = {
    Stop.NO: "",
    Stop.GONE: "It was cancelled, or taken over after its lease ran out.",
    Stop.LEASE: "The worker could not keep its lease and stopped the work.",
    Stop.WORKER: "The worker was stopped before the work was done.",
}

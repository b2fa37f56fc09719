"""What the jobs of the benchmarks call: the same record as every peer's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks import records
from jobs.kinds.functions import job_function

if TYPE_CHECKING:
    from jobs.kinds.base import Context

NAME = "bench.job"


@job_function(NAME)
def job(index: int, submitted: float = 0.0, milliseconds: int = 0, *, context: Context) -> None:
    """Leave a record; what a schedule started counts from its slot."""
    slot = context.scheduled_for
    records.job(index, slot.timestamp() if slot else submitted, milliseconds)

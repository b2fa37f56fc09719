"""However much a job writes, its worker stays small and the beginning and the end are kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from executions.models import LogChunk, Status
from tests.crash import work
from tests.crash.ground import Ground

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.crash

MIB = 1024 * 1024
MEGABYTES = 1000
GROWS_BY = 64 * 1024  # KiB


@pytest.fixture(scope="module")
def ground(transactional_db: None) -> Iterator[Ground]:
    with Ground(work.APPS) as ground:
        ground.staff(io=0, compute=1, slots=1)
        yield ground


def test_a_gigabyte_of_output(ground: Ground) -> None:
    execution = work.ended(work.start(ground, "flood", megabytes=MEGABYTES), within=120)

    chunks = list(LogChunk.objects.filter(execution=execution).order_by("pk"))
    assert execution.status == Status.SUCCEEDED
    assert isinstance(execution.result, int)
    assert execution.result <= GROWS_BY
    assert sum(len(chunk.text.encode()) for chunk in chunks) <= MIB
    assert chunks[0].text.startswith("the first line\n")
    assert chunks[-1].text.endswith("the last line\n")
    (gap,) = [chunk for chunk in chunks if chunk.omitted]
    assert gap.omitted > MEGABYTES * 1_000_000 - MIB
    assert f"{gap.omitted:,} bytes left out" in gap.text

"""Records that jobs leave, as the harness reads them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from benchmarks import records
from benchmarks.records import LAYOUT, Record, Records

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Records:
    """The file that jobs of this process append to."""
    made = Records(tmp_path / "records")
    monkeypatch.setenv(records.VARIABLE, str(made.path))
    monkeypatch.setattr(records, "_file", None)
    return made


def test_a_job_leaves_one_record_of_its_process(file: Records) -> None:
    records.job(7, 123.5)

    [found] = file.read()
    assert (found.number, found.pid, found.submitted) == (7, os.getpid(), 123.5)
    assert found.ended == found.started > 0


def test_a_job_that_takes_time_leaves_one_at_its_start_too(file: Records) -> None:
    records.job(7, milliseconds=1)

    begun, ended = file.read()
    assert begun.ended == 0.0
    assert ended.ended > ended.started == begun.started


def test_reading_skips_what_was_read_and_what_is_half_written(file: Records) -> None:
    for index in range(3):
        records.append(Record(index, 1, 0.0, 1.0, 1.0))
    with file.path.open("ab") as half:
        half.write(b"x" * (LAYOUT.size - 1))

    assert file.count() == 3
    assert [one.number for one in file.read(skip=1)] == [1, 2]

"""Output on its way to the database: whole, in order, and bounded."""

from __future__ import annotations

import resource
import tracemalloc
from typing import Any

import pytest
from django.db import OperationalError

from executions import logs
from executions.logs import Chunk, Output, Source
from executions.models import Execution, LogChunk
from tests.factories import NOON, ExecutionFactory

MIB = 1024 * 1024


def output() -> Output:
    return Output(lambda: NOON)


def size(chunks: list[Chunk]) -> int:
    return sum(len(chunk.text.encode()) for chunk in chunks)


def test_what_is_written_in_a_row_is_one_chunk() -> None:
    out = output()
    for text in ("a", "b\n", "c"):
        out.write("stdout", text)
    out.write("stderr", "d")

    assert [(chunk.stream, chunk.text) for chunk in out.take()] == [
        ("stdout", "ab\nc"),
        ("stderr", "d"),
    ]
    assert out.take() == []


def test_head_and_tail_are_kept_and_the_gap_says_how_much_is_missing() -> None:
    out = output()
    lines = [f"{number:09}\n" for number in range(400_000)]
    for line in lines:
        out.write("stdout", line)

    chunks = out.rest()

    head, gap, tail = chunks
    assert size(chunks) <= MIB
    assert size([head]) > MIB // 2 - 1000
    assert size([tail]) > MIB // 2 - 1000
    assert "".join(lines).startswith(head.text)
    assert "".join(lines).endswith(tail.text)
    assert gap.omitted == 4_000_000 - size([head, tail])
    assert gap.text == f"\n… {gap.omitted:,} bytes left out …\n"


@pytest.mark.parametrize("letter", ["a", "ü", "𝄞"])
def test_what_just_fits_is_whole(letter: str) -> None:
    out = output()
    text = letter * (900_000 // len(letter.encode()))
    out.write("stdout", text)

    assert "".join(chunk.text for chunk in out.rest()) == text


def test_many_tiny_writes_to_changing_streams_stay_small() -> None:
    out = output()
    for number in range(200_000):
        out.write(("stdout", "stderr")[number % 2], "x")

    chunks = out.rest()

    assert len(chunks) < 20_000
    assert sum(chunk.omitted for chunk in chunks) + size(chunks) > 200_000


def test_one_huge_line_is_not_copied() -> None:
    out = output()
    line = "y" * (200 * MIB)
    tracemalloc.start()
    out.write("stdout", line)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    chunks = out.rest()

    assert peak < 8 * MIB
    assert size(chunks) <= MIB
    assert sum(chunk.omitted for chunk in chunks) > 198 * MIB


def test_a_gigabyte_in_lines_stays_within_its_bound() -> None:
    out = output()
    line = "z" * 9_999 + "\n"
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(107_375):
        out.write("stdout", line)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before

    assert grown < 64 * 1024  # KiB
    assert sum(chunk.omitted for chunk in out.rest()) > 1022 * MIB


@pytest.mark.parametrize("text", ["nul \x00", "lone \ud83d", "\x1b[31mred\x1b[0m", "<script>"])
@pytest.mark.django_db
def test_any_text_can_be_stored(text: str) -> None:
    execution = ExecutionFactory.create()
    out = output()
    out.write("stdout", text)

    logs.store(execution.pk, 1, out.take())

    assert LogChunk.objects.get().text


@pytest.mark.django_db
def test_the_tail_of_a_running_attempt_is_shown_now_and_then(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    source = Source(ExecutionFactory.create().pk, 1, output())
    monkeypatch.setattr(logs, "TAIL_SECONDS", 0.0)
    source.output.snapshot.due = 0.0
    for word in ("one", "two"):
        source.output.write("stdout", word * MIB)
        logs.flush([source])

    texts = list(LogChunk.objects.values_list("text", flat=True))
    assert texts[0].startswith("one")
    assert [text[-3:] for text in texts[2:]] == ["two"]  # the newer tail took the older's place
    logs.drop_snapshot(source.output)
    assert LogChunk.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_what_could_not_be_stored_is_stored_later(monkeypatch: pytest.MonkeyPatch) -> None:
    source = Source(ExecutionFactory.create().pk, 1, output())
    source.output.write("stdout", "first ")
    with monkeypatch.context() as away:
        away.setattr(logs, "store", _away)
        logs.flush([source])
    source.output.write("stdout", "second")

    logs.flush([source])

    texts = LogChunk.objects.order_by("pk").values_list("text", flat=True)
    assert "".join(texts) == "first second"


def _away(*args: Any) -> list[int]:
    raise OperationalError("away")


@pytest.mark.django_db
def test_the_output_of_the_first_and_the_newest_attempts_is_kept() -> None:
    execution = ExecutionFactory.create()
    for number in range(1, 10):
        execution.attempt = number
        logs.forget_old(execution)
        logs.store(execution.pk, number, [Chunk(NOON, "stdout", str(number))])

    kept = LogChunk.objects.filter(execution=Execution.objects.get())
    assert list(kept.order_by("pk").values_list("attempt", flat=True)) == [1, 5, 6, 7, 8, 9]

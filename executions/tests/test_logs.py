"""Output on its way to the database: whole, in order, and bounded."""

from __future__ import annotations

import pytest

from executions import logs
from executions.models import LogChunk
from tests.factories import NOON, ExecutionFactory


def output() -> logs.Output:
    return logs.Output(lambda: NOON)


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


def test_output_is_cut_at_its_limit_and_says_so() -> None:
    out = output()
    for _ in range(3000):
        out.write("stdout", "ü" * 512)

    chunks = out.take()
    assert sum(len(chunk.text.encode()) for chunk in chunks) <= logs.MAX_BYTES + 100
    assert chunks[-1].text == logs.TRUNCATED


@pytest.mark.parametrize("text", ["nul \x00", "lone \ud83d", "\x1b[31mred\x1b[0m", "<script>"])
@pytest.mark.django_db
def test_any_text_can_be_stored(text: str) -> None:
    execution = ExecutionFactory.create()
    out = output()
    out.write("stdout", text)

    logs.store((execution.pk, 1, chunk) for chunk in out.take())

    assert LogChunk.objects.get().text

"""Attempts, events and output of one execution."""

from __future__ import annotations

from typing import Any

import pytest

from executions.models import Attempt, Execution, ExecutionEvent, LogChunk, Status
from executions.tests.callers import API, caller
from tests.factories import NOON

pytestmark = pytest.mark.django_db


def write(execution: Execution, *texts: str, stream: str = "stdout") -> list[int]:
    chunks = [
        LogChunk.objects.create(execution=execution, attempt=1, at=NOON, stream=stream, text=text)
        for text in texts
    ]
    return [chunk.pk for chunk in chunks]


def logs(client: Any, execution: Execution, **query: Any) -> Any:
    return client.get(f"{API}/executions/{execution.pk}/logs", query)


def test_attempts_come_in_their_order() -> None:
    ann = caller()
    execution = ann.execution()
    for number in [2, 1]:
        Attempt.objects.create(
            execution=execution, number=number, worker="w", started_at=NOON, outcome="lost"
        )

    told = ann.client.get(f"{API}/executions/{execution.pk}/attempts").json()

    assert [row["number"] for row in told["results"]] == [1, 2]
    assert told["results"][0]["task_id"] == f"{execution.pk}-1"


def test_events_say_who_did_what() -> None:
    ann = caller()
    execution = ann.execution()
    ExecutionEvent.objects.create(
        execution=execution, at=NOON, what="redriven", actor="bob", detail={"as": "x"}
    )

    told = ann.client.get(f"{API}/executions/{execution.pk}/events").json()

    assert told["results"] == [
        {"at": "2027-06-15T12:00:00Z", "what": "redriven", "actor": "bob", "detail": {"as": "x"}}
    ]


def test_output_is_read_in_pages_until_the_end() -> None:
    ann = caller()
    execution = ann.execution(status=Status.RUNNING)
    ids = write(execution, "a", "b", "c")

    first = logs(ann.client, execution, limit=2).json()
    second = logs(ann.client, execution, after=first["next_after"]).json()
    third = logs(ann.client, execution, after=second["next_after"]).json()

    assert [chunk["text"] for chunk in first["results"]] == ["a", "b"]
    assert (first["has_more"], first["next_after"]) == (True, ids[1])
    assert [chunk["text"] for chunk in second["results"]] == ["c"]
    assert (second["has_more"], second["finished"]) == (False, False)
    assert (third["results"], third["next_after"]) == ([], ids[2])


def test_output_of_a_finished_execution_says_that_no_more_comes() -> None:
    ann = caller()
    execution = ann.execution(status=Status.SUCCEEDED)

    assert logs(ann.client, execution).json() == {
        "results": [],
        "next_after": 0,
        "has_more": False,
        "truncated": False,
        "finished": True,
    }


def test_output_that_was_cut_says_where_and_by_how_much() -> None:
    ann = caller()
    execution = ann.execution()
    gap = write(execution, "head", "… 7 bytes left out …", "tail")[1]
    LogChunk.objects.filter(pk=gap).update(omitted=7)

    page = logs(ann.client, execution).json()

    assert page["truncated"] is True
    assert [chunk["omitted"] for chunk in page["results"]] == [0, 7, 0]


def test_one_stream_can_be_read_alone() -> None:
    ann = caller()
    execution = ann.execution()
    write(execution, "out")
    write(execution, "err", stream="stderr")

    told = logs(ann.client, execution, stream="stderr").json()

    assert [chunk["text"] for chunk in told["results"]] == ["err"]


def test_a_page_ends_after_a_mebibyte() -> None:
    ann = caller()
    execution = ann.execution()
    write(execution, "x" * 600_000, "y" * 600_000, "z" * 2_000_000)

    first = logs(ann.client, execution).json()
    last = logs(ann.client, execution, after=first["next_after"] + 1).json()

    assert [chunk["text"][0] for chunk in first["results"]] == ["x"]
    assert first["has_more"]
    assert [len(chunk["text"]) for chunk in last["results"]] == [2_000_000]


def test_output_can_be_had_as_it_was_written() -> None:
    ann = caller()
    execution = ann.execution()
    write(execution, "first\n", "<b>ünïcode</b>\n")

    answer = ann.client.get(
        f"{API}/executions/{execution.pk}/logs", headers={"Accept": "text/plain"}
    )

    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert answer.content.decode() == "first\n<b>ünïcode</b>\n"


def test_a_fault_stays_a_problem_when_text_is_asked_for() -> None:
    ann = caller()
    execution = ann.execution()

    answer = ann.client.get(
        f"{API}/executions/{execution.pk}/logs?limit=0", headers={"Accept": "text/plain"}
    )

    assert answer.status_code == 400
    assert answer.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("after", "-1"),
        ("after", "x"),
        ("after", str(2**63)),
        ("limit", "0"),
        ("limit", "1001"),
        ("stream", "stdin"),
        ("level", "error"),
    ],
)
def test_a_bad_parameter_is_named(parameter: str, value: str) -> None:
    ann = caller()

    answer = logs(ann.client, ann.execution(), **{parameter: value})

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["parameter"] == parameter

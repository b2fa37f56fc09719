"""Many starts with one request: all or nothing, or what can be; each with a key of its own."""

from __future__ import annotations

import json
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from accounts.models import KeptAnswer
from accounts.roles import Role
from executions.api.bodies import SubmitSerializer
from executions.models import Execution, ExecutionEvent
from executions.submissions import MOST
from executions.tests.callers import API, Caller, caller
from executions.tests.crowds import in_parallel
from jobs.models import Job, Limit
from jobs.policies import Priority
from lib import ndjson
from tests.factories import NOON

pytestmark = pytest.mark.django_db

LINES = "application/x-ndjson"


def submit(ann: Caller, job: Job, body: Any, query: str = "", **headers: str) -> Any:
    path = f"{API}/jobs/{job.pk}/executions{query}"
    return ann.client.post(path, body, headers=headers)


def submit_lines(ann: Caller, job: Job, body: bytes | list[Any], query: str = "") -> Any:
    if isinstance(body, list):
        body = b"\n".join(json.dumps(one).encode() for one in body)
    path = f"{API}/jobs/{job.pk}/executions{query}"
    return ann.client.post(path, body, content_type=LINES)


def by_id() -> dict[str, Execution]:
    return {str(row.pk): row for row in Execution.objects.all()}


def pointers(answer: Any) -> set[str]:
    return {error["pointer"] for error in answer.json()["errors"]}


@pytest.mark.parametrize("send", [submit, submit_lines])
def test_ids_come_back_in_the_order_of_the_starts(send: Any) -> None:
    ann = caller()
    starts = [{"payload": {"n": n}} for n in range(25)]

    answer = send(ann, ann.job(), starts)

    assert answer.status_code == 202
    told, rows = answer.json(), by_id()
    assert [rows[pk].payload for pk in told["ids"]] == [{"n": n} for n in range(25)]
    assert (told["accepted"], told["repeated"], told["refused"]) == (25, 0, [])
    assert told["ids"] == sorted(told["ids"])


def test_each_start_says_what_a_single_one_may() -> None:
    ann = caller()
    job = ann.job(version__payload={"a": 1})
    start = {
        "payload": {"b": 2},
        "run_at": "2099-12-25T11:00:00+01:00",
        "priority": "critical",
        "reason": "the mail was empty",
    }

    full, empty = submit(ann, job, [start, {}]).json()["ids"]

    rows = by_id()
    assert (rows[full].payload, rows[full].priority) == ({"b": 2}, Priority.CRITICAL)
    assert rows[full].due_at.isoformat() == "2099-12-25T10:00:00+00:00"
    assert (rows[empty].payload, rows[empty].priority) == (None, Priority.NORMAL)
    event = ExecutionEvent.objects.get(execution=full)
    assert (event.what, event.actor) == ("requested", ann.user.email)
    assert event.detail == {"reason": "the mail was empty"}
    assert ann.client.get(f"{API}/executions/{full}").status_code == 200


def test_a_limit_counts_them_by_what_they_say() -> None:
    ann = caller()
    limit = Limit.objects.create(team=ann.team, name="mail", by="host", concurrency=1)
    job = ann.job(version__limit=limit, version__payload={"host": "a"})

    submit(ann, job, [{}, {"payload": {"host": "b"}}])

    keys = Execution.objects.order_by("pk").values_list("limit_key", flat=True)
    assert list(keys) == [f"{limit.pk}:a", f"{limit.pk}:b"]


BAD = [
    {"payload": {"n": 1}},
    {"payload": []},
    {"priority": "urgent", "run_at": "soon"},
    {"status": "succeeded"},
    7,
    None,
    {"run_at": "2020-12-25T10:00:00Z"},
    {"idempotency_key": ""},
    {"idempotency_key": "é"},
    {"idempotency_key": "x" * 256},
    {"idempotency_key": 5.5},
]
BAD_POINTERS = {
    *("/1/payload", "/2/priority", "/2/run_at", "/3/status", "/4", "/5", "/6/run_at"),
    *("/7/idempotency_key", "/8/idempotency_key", "/9/idempotency_key"),
}


@pytest.mark.parametrize("send", [submit, submit_lines])
def test_all_faults_are_named_by_their_places_and_nothing_is_started(send: Any) -> None:
    ann = caller()

    answer = send(ann, ann.job(), BAD)

    assert answer.status_code == 400
    assert pointers(answer) >= BAD_POINTERS
    assert not any(pointer.startswith("/0") for pointer in pointers(answer))
    assert not Execution.objects.exists()


@pytest.mark.parametrize("send", [submit, submit_lines])
def test_with_partial_the_good_ones_are_started_and_the_others_named(send: Any) -> None:
    ann = caller()

    answer = send(ann, ann.job(), BAD[:7], "?partial=true")

    assert answer.status_code == 202
    told = answer.json()
    assert [pk is not None for pk in told["ids"]] == [True, *[False] * 6]
    assert [refused["index"] for refused in told["refused"]] == [1, 2, 3, 4, 5, 6]
    assert told["refused"][0]["errors"][0]["pointer"] == "/1/payload"
    assert told["refused"][2]["errors"][0]["code"] == "unknown_field"
    assert set(by_id()) == {told["ids"][0]}


def test_with_partial_too_nothing_good_is_a_400() -> None:
    ann = caller()

    assert submit(ann, ann.job(), BAD[1:], "?partial=true").status_code == 400


def test_inputs_must_be_valid_for_the_kind() -> None:
    ann = caller()
    good = {"payload": {"url": "https://example.org/"}}
    bad = {"payload": {"url": "http://127.0.0.1/", "extra": 1}}

    answer = submit(ann, ann.job(kind="http"), [good, bad, bad])

    assert pointers(answer) == {f"/{n}/payload/{name}" for n in (1, 2) for name in ("url", "extra")}


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        (b'{}\n{"payload": {"a": NaN}}', "/1"),
        (b'{"reason": "a", "reason": "b"}', "/0"),
        (b"{}\n{\n}", "/1"),
        (b'{}\n{"payload": ' + b"[" * 9_999 + b"]" * 9_999 + b"}", "/1"),
        (b'{"payload": {"a": "\\u0000"}}', "/0"),
        (b'{"payload": {"a": "\\ud800"}}', "/0"),
        (b"{} {}", "/0"),
    ],
)
def test_a_line_that_is_no_json_is_a_fault_of_that_line(body: bytes, pointer: str) -> None:
    ann = caller()

    answer = submit_lines(ann, ann.job(), body)

    assert answer.status_code == 400
    assert pointer in pointers(answer)
    assert not Execution.objects.exists()


@pytest.mark.parametrize("body", [[], {}, "x", 1, {"payload": {}}])
def test_what_is_no_list_of_starts_is_a_400(body: Any) -> None:
    ann = caller()

    assert submit(ann, ann.job(), body).status_code == 400


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"", LINES, 400),
        (b"\n\n", LINES, 400),
        (b"\xff", LINES, 400),
        (b"{", "application/json", 400),
        (b"[1", "application/json", 400),
        (b"a=1", "text/csv", 415),
        (b'"' + b"x" * 1_048_576 + b'"', "application/json", 413),
        (b"x" * (ndjson.MAX_BYTES + 1), LINES, 413),
    ],
)
def test_a_body_that_no_sane_client_sends_starts_nothing(
    body: bytes, kind: str, status: int
) -> None:
    ann = caller()

    answer = ann.client.post(f"{API}/jobs/{ann.job().pk}/executions", body, content_type=kind)

    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert not Execution.objects.exists()


def test_a_request_has_a_most_of_starts() -> None:
    ann = caller()
    job = ann.job()

    assert submit_lines(ann, job, b"{}\n" * (MOST + 1)).json()["code"] == "too_many"
    assert not Execution.objects.exists()
    assert submit_lines(ann, job, b"{}\n" * MOST).json()["accepted"] == MOST


def test_an_unknown_parameter_is_refused() -> None:
    ann = caller()

    assert submit(ann, ann.job(), [{}], "?partail=true").status_code == 400
    assert submit(ann, ann.job(), [{}], "?partial=perhaps").status_code == 400
    assert not Execution.objects.exists()


@pytest.mark.parametrize("state", [{"paused_at": NOON}, {"archived_at": NOON}])
def test_a_job_out_of_use_is_not_started(state: dict[str, Any]) -> None:
    ann = caller()

    assert submit(ann, ann.job(**state), [{}, {}]).status_code == 409
    assert not Execution.objects.exists()


def test_it_takes_the_right_to_operate() -> None:
    ann, bob = caller(Role.VIEWER), caller()
    job = ann.job()

    assert submit(ann, job, [{}]).json()["code"] == "role_too_low"
    assert submit(bob, job, [{}]).status_code == 404
    assert not Execution.objects.exists()


def test_a_start_with_a_key_is_made_once() -> None:
    ann = caller()
    job = ann.job()
    starts: list[Any] = [{"idempotency_key": f"k{n}", "payload": {"n": n}} for n in range(3)]
    first = submit(ann, job, starts).json()

    again = submit_lines(ann, job, [*starts[1:], {"idempotency_key": "new"}, {}]).json()

    assert again["ids"][:2] == first["ids"][1:]
    assert (again["accepted"], again["repeated"]) == (2, 2)
    assert Execution.objects.count() == 5


def test_twice_in_one_request_is_once_as_well() -> None:
    ann = caller()

    told = submit(ann, ann.job(), [{"idempotency_key": "k"}] * 3).json()

    assert (len(set(told["ids"])), told["accepted"], told["repeated"]) == (1, 1, 2)
    assert Execution.objects.count() == 1


def test_an_instant_that_is_over_does_not_keep_a_repetition_from_its_answer() -> None:
    ann = caller()
    job = ann.job()
    start = {"idempotency_key": "k", "run_at": "2020-01-01T00:00:00Z"}

    first, second = (submit(ann, job, [start]).json() for _ in range(2))

    assert (first["accepted"], second["repeated"]) == (1, 1)
    assert second["ids"] == first["ids"]
    row = Execution.objects.get()
    assert row.due_at == row.created_at


def test_a_key_for_another_start_refuses_all_with_a_422() -> None:
    ann = caller()
    job = ann.job()
    submit(ann, job, [{"idempotency_key": "k"}])

    answer = submit(ann, job, [{}, {"idempotency_key": "k", "reason": "else"}])

    assert answer.status_code == 422
    assert answer.json()["code"] == "idempotency_key_reused"
    assert pointers(answer) == {"/1/idempotency_key"}
    assert Execution.objects.count() == 1


def test_with_partial_only_the_start_with_the_wrong_key_is_refused() -> None:
    ann = caller()
    job = ann.job()
    submit(ann, job, [{"idempotency_key": "k"}])

    told = submit(ann, job, [{"idempotency_key": "k", "reason": "else"}, {}], "?partial=1").json()

    assert told["ids"][0] is None
    assert (told["accepted"], told["repeated"]) == (1, 0)
    assert told["refused"][0]["errors"][0]["code"] == "idempotency_key_reused"
    assert Execution.objects.count() == 2


def test_after_a_refusal_the_keys_are_free() -> None:
    ann = caller()
    job = ann.job()
    start = {"idempotency_key": "k"}

    assert submit(ann, job, [start, {"priority": "urgent"}]).status_code == 400
    assert submit(ann, job, [start]).json()["accepted"] == 1


def test_keys_of_another_job_and_of_another_person_are_others() -> None:
    ann, bob = caller(), caller()
    start = [{"idempotency_key": "k"}]

    for who, job in [(ann, ann.job()), (ann, ann.job()), (bob, bob.job())]:
        assert submit(who, job, start).json()["accepted"] == 1


def test_the_whole_request_may_have_a_key_too() -> None:
    ann = caller()
    job = ann.job()
    first, second = (submit(ann, job, [{}, {}], **{"Idempotency-Key": "k"}) for _ in range(2))

    assert second.headers["Idempotent-Replayed"] == "true"
    assert second.json() == first.json()
    assert submit(ann, job, [{}], **{"Idempotency-Key": "k"}).status_code == 422
    assert Execution.objects.count() == 2
    assert KeptAnswer.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_at_one_moment_as_well_a_key_makes_one_execution() -> None:
    ann = caller()
    job = ann.job()
    starts = [{"idempotency_key": f"k{n}"} for n in range(20)]
    answers: list[Any] = []

    def road(index: int) -> None:
        turned = starts if index % 2 else starts[::-1]
        answers.append(submit(ann, job, turned))

    in_parallel(6, road)

    assert Counter(answer.status_code for answer in answers) == {202: 6}
    assert len({frozenset(answer.json()["ids"]) for answer in answers}) == 1
    assert sum(answer.json()["accepted"] for answer in answers) == 20
    assert Execution.objects.count() == 20


def test_what_is_asked_for_later_has_its_deadline_from_then() -> None:
    ann = caller()

    submit(ann, ann.job(version__start_deadline_seconds=60), [{"run_at": "2099-01-01T00:00:00Z"}])

    row = Execution.objects.get()
    assert row.start_by == row.due_at + timedelta(seconds=60)


@pytest.mark.parametrize(
    "start",
    [
        {"payload": None},
        {"payload": {"a": {"b": [1, None]}}},
        {"idempotency_key": "k"},
        {"payload": {"a": 1}, "idempotency_key": "k"},
        {},
    ],
)
def test_the_short_way_of_plain_starts_leads_where_the_long_one_does(start: Any) -> None:
    context = {"kind": "noop", "now": NOON}

    short = SubmitSerializer(context=context).take(start)
    long = SubmitSerializer(context=context).run_validation(start)

    assert {"payload": None, **short} == {"payload": None, **long}

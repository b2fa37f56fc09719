"""Bodies and texts that no job can be made of are refused, or kept to the letter."""

from __future__ import annotations

import json
from time import thread_time
from typing import TYPE_CHECKING, Any

import pytest

from jobs.models import Job
from jobs.tests.calls import JOBS
from jobs.tests.refusals import faults, refused

if TYPE_CHECKING:
    from rest_framework.test import APIClient

pytestmark = pytest.mark.django_db


def send(api: APIClient, body: bytes | str, **headers: str) -> Any:
    started = thread_time()
    content_type = headers.pop("content_type", "application/json")
    data = body if isinstance(body, bytes) else body.encode()
    answer = api.generic("POST", JOBS, data, content_type, headers=headers)  # type: ignore[arg-type]  # it takes bytes
    assert thread_time() - started < 1
    assert not Job.objects.exists()
    return answer


NAMED = '"name": "Report"'


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("{", "json_invalid"),
        (" ", "json_invalid"),
        ("{'name': 'Report'}", "json_invalid"),
        ("{" + NAMED + ",}", "json_invalid"),
        ("{" + NAMED + "}{}", "json_invalid"),
        ("{" + NAMED + "} // done", "json_invalid"),
        ("\ufeff{" + NAMED + "}", "json_bom"),
        (b'{"name": "\xff"}', "json_encoding"),
        ("{" + NAMED + "}".encode("utf-16").decode("latin-1"), "json_invalid"),
        ("{" + NAMED + ', "retry": {"base_seconds": NaN}}', "json_number"),
        ("{" + NAMED + ', "retry": {"base_seconds": Infinity}}', "json_number"),
        ("{" + NAMED + ', "retry": {"base_seconds": -Infinity}}', "json_number"),
        ("{" + NAMED + ', "retry": {"base_seconds": 1e400}}', "json_number"),
        ("{" + NAMED + ', "payload": {"n": 9223372036854775808}}', "json_number"),
        ("{" + NAMED + ', "payload": {"n": ' + "9" * 5000 + "}}", "json_number"),
        ("{" + NAMED + ', "name": "Other"}', "json_duplicate_key"),
        ("{" + NAMED + ', "payload": {"a": 1, "a": 2}}', "json_duplicate_key"),
        ('{"name": "a\\u0000b"}', "json_nul"),
        ("{" + NAMED + ', "payload": {"a": "\\u0000"}}', "json_nul"),
        ("{" + NAMED + ', "payload": {"a\\u0000": 1}}', "json_nul"),
        ("{" + NAMED + ', "payload": {"a": "\\ud800"}}', "json_surrogate"),
        ('{"payload": ' + "[" * 100_000 + "]" * 100_000 + "}", "json_too_deep"),
        ('{"payload": ' + '{"a":' * 100_000 + "1" + "}" * 100_000 + "}", "json_too_deep"),
        ("{" + ",".join(f'"k{n}":1' for n in range(90_000)) + "}", "json_too_many_keys"),
    ],
)
def test_such_a_document_is_refused(api: APIClient, body: bytes | str, code: str) -> None:
    answer = send(api, body)
    assert answer.status_code == 400
    assert answer.json()["code"] == code


def test_a_body_longer_than_a_mebibyte_is_refused(api: APIClient) -> None:
    body = json.dumps({"name": "Report", "description": "x" * 1024 * 1024})
    answer = send(api, body)
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")


@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "application/xml", "application/x-www-form-urlencoded", "multipart/form-data",
     "application/json-patch+json"],
)  # fmt: skip
def test_only_json_is_read(api: APIClient, content_type: str) -> None:
    answer = send(api, "{" + NAMED + "}", content_type=content_type)
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")


@pytest.mark.parametrize("document", ["[]", '[{"name": "a"}]', '"Report"', "5", "true", "null"])
def test_a_job_is_an_object(api: APIClient, document: str) -> None:
    (code,) = faults(send(api, document)).values()
    assert code in ("invalid", "null")


@pytest.mark.parametrize("document", ["", "{}"])
def test_a_job_needs_a_name(api: APIClient, document: str) -> None:
    assert faults(send(api, document)) == {"/name": "required"}


def test_all_faults_are_told_at_once_by_the_names_that_were_used(api: APIClient) -> None:
    body = {
        "name": "",
        "type": "FTP",
        "nmae": "Report",
        "cron_expression": "61 * * * *",
        "retryPolicy": {"maxAttempts": 0, "shake": True},
        "policy": {"queue": "nowhere", "overlap": "maybe"},
        "tags": ["ok", ""],
        "id": "0190a2f4-0000-7000-8000-000000000000",
    }
    answer = api.post(JOBS, body)
    assert faults(answer) == {
        "/name": "blank",
        "/type": "invalid_choice",
        "/nmae": "unknown_field",
        "/cron_expression": "schedule.cron_invalid",
        "/retryPolicy/maxAttempts": "min_value",
        "/retryPolicy/shake": "unknown_field",
        "/policy/queue": "queue_unknown",
        "/policy/overlap": "invalid_choice",
        "/tags/1": "blank",
        "/id": "read_only_field",
    }
    by_place = {error["pointer"]: error for error in answer.json()["errors"]}
    assert "name" in by_place["/nmae"]["hint"]
    assert by_place["/policy/queue"]["allowed"] == ["default"]
    assert "http" in by_place["/type"]["allowed"]


@pytest.mark.parametrize(
    ("name", "nearest"),
    [("cron_expresion", "cron_expression"), ("retrypolicy", "retryPolicy"), ("shedule", "schedule"),
     ("max_retrys", "max_retries"), ("Name", "name"), ("interval", "interval_seconds")],
)  # fmt: skip
def test_an_unknown_field_is_told_its_nearest_neighbour(
    api: APIClient, name: str, nearest: str
) -> None:
    answer = api.post(JOBS, {"name": "Report", name: 1})
    refused(answer, f"/{name}", "unknown_field")
    assert nearest in answer.json()["errors"][0]["hint"]


@pytest.mark.parametrize(
    "name",
    ["id", "team", "team_id", "created_by", "current", "version", "next_run_at", "created_at",
     "paused_at", "archived_at", "links", "enabled", "next_fire_at", "warnings", "until",
     "__proto__", "constructor", "", "a/b~c", "schedule.cron", "\U0001f4a5"],
)  # fmt: skip
def test_nothing_else_can_be_set(api: APIClient, name: str) -> None:
    pointer = "/" + name.replace("~", "~0").replace("/", "~1")
    (code,) = faults(api.post(JOBS, {"name": "Report", name: "x"})).values()
    assert code in ("unknown_field", "read_only_field")
    refused(api.post(JOBS, {"name": "Report", name: "x"}), pointer, code)


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("name", None, "null"),
        ("name", 5, "invalid"),
        ("name", True, "invalid"),
        ("name", ["Report"], "invalid"),
        ("name", {}, "invalid"),
        ("description", None, "null"),
        ("description", 5, "invalid"),
        ("slug", None, "null"),
        ("slug", 5, "invalid"),
        ("kind", None, "null"),
        ("kind", 5, "invalid_choice"),
        ("kind", ["http"], "invalid_choice"),
        ("kind", "shell", "invalid_choice"),
        ("kind", "", "invalid_choice"),
        ("kind", "../http", "invalid_choice"),
        ("kind", "http\x0b", "invalid_choice"),
        ("status", None, "null"),
        ("status", "archived", "invalid_choice"),
        ("status", "running", "invalid_choice"),
        ("status", True, "invalid_choice"),
        ("payload", None, "null"),
        ("payload", "{}", "not_a_dict"),
        ("payload", [], "not_a_dict"),
        ("payload", 5, "not_a_dict"),
        ("payload", {"n": 1e308}, "number_too_large"),
        ("payload", {"n": [{"n": -(2.0**63)}]}, "number_too_large"),
        ("retry", None, "null"),
        ("retry", 3, "invalid"),
        ("policy", "strict", "invalid"),
        ("policy", [], "invalid"),
        ("tags", None, "null"),
        ("tags", "finance", "not_a_list"),
        ("tags", {"a": 1}, "not_a_list"),
        ("tags", ["a", "a"], "duplicate"),
        ("tags", [f"t{n}" for n in range(51)], "max_length"),
        ("tags", [f"t{n}" for n in range(10_000)], "max_length"),
    ],
)
def test_a_value_of_the_wrong_sort_is_refused(
    api: APIClient, field: str, value: Any, code: str
) -> None:
    refused(api.post(JOBS, {"name": "Report"} | {field: value}), f"/{field}", code)


@pytest.mark.parametrize(
    ("tag", "code"),
    [(None, "null"), (5, "invalid"), ("", "blank"), ("x" * 65, "max_length"),
     ("a\nb", "control_characters"), (["a"], "invalid")],
)  # fmt: skip
def test_such_a_tag_is_refused(api: APIClient, tag: Any, code: str) -> None:
    refused(api.post(JOBS, {"name": "Report", "tags": ["ok", tag]}), "/tags/1", code)


# --- verbs ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("verb", "body", "pointer", "code"),
    [
        ("pause", {"reason": "x" * 201}, "/reason", "max_length"),
        ("pause", {"reason": "a\nb"}, "/reason", "control_characters"),
        ("pause", {"reason": None}, "/reason", "null"),
        ("pause", {"reason": 5}, "/reason", "invalid"),
        ("pause", {"until": "2027-06-15T12:00:00Z"}, "/until", "instant_past"),
        ("pause", {"until": "2027-12-25T10:00:00"}, "/until", "instant_invalid"),
        ("pause", {"until": 3600}, "/until", "instant_invalid"),
        ("resume", {"missed": "some"}, "/missed", "invalid_choice"),
        ("resume", {"missed": None}, "/missed", "null"),
        ("resume", {"reason": "done"}, "/reason", "unknown_field"),
        ("restore", {"slug": "other"}, "/slug", "unknown_field"),
    ],
)
def test_a_verb_refuses_what_it_does_not_take(
    api: APIClient, verb: str, body: dict[str, Any], pointer: str, code: str
) -> None:
    api.post(JOBS, {"name": "Report"})
    assert faults(api.post(f"{JOBS}/report/{verb}", body)) == {pointer: code}
    assert Job.objects.get().status == "active"


@pytest.mark.parametrize("method", ["patch", "put"])
@pytest.mark.parametrize("document", ["[]", "5", "null", '"x"'])
def test_a_change_is_an_object(api: APIClient, method: str, document: str) -> None:
    api.post(JOBS, {"name": "Report"})
    answer = api.generic(method.upper(), f"{JOBS}/report", document, "application/json")
    (code,) = faults(answer).values()
    assert code in ("invalid", "null")
    assert Job.objects.get().versions.count() == 1


@pytest.mark.parametrize("dry_run", ["", "yes", "1", "TRUE", "truefalse"])
def test_a_rehearsal_is_asked_for_clearly(api: APIClient, dry_run: str) -> None:
    answer = api.post(f"{JOBS}?dry_run={dry_run}", {"name": "Report"})
    refused(answer, "dry_run", "invalid_choice")


def test_an_unknown_parameter_of_a_write_is_refused(api: APIClient) -> None:
    refused(api.post(f"{JOBS}?dryrun=true", {"name": "Report"}), "dryrun", "unknown_parameter")

"""Policies with senseless numbers, and targets that must not be called, are refused at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from jobs.tests.calls import JOBS
from jobs.tests.refusals import faults, refused
from tests.factories import JobFactory

if TYPE_CHECKING:
    from rest_framework.test import APIClient

    from accounts.models import Team

pytestmark = pytest.mark.django_db

LOW, HIGH, TYPE = "min_value", "max_value", "invalid"
SENSELESS = [
    ("retry", "max_attempts", 0, LOW),
    ("retry", "max_attempts", -1, LOW),
    ("retry", "max_attempts", 101, HIGH),
    ("retry", "max_attempts", 2**62, HIGH),
    ("retry", "max_attempts", 1e308, HIGH),
    ("retry", "max_attempts", 1.5, TYPE),
    ("retry", "max_attempts", "3", TYPE),
    ("retry", "max_attempts", "NaN", TYPE),
    ("retry", "max_attempts", True, TYPE),
    ("retry", "max_attempts", None, "null"),
    ("retry", "base_seconds", -0.001, LOW),
    ("retry", "base_seconds", 86_401, HIGH),
    ("retry", "base_seconds", 1e308, HIGH),
    ("retry", "base_seconds", 2**62, HIGH),
    ("retry", "base_seconds", "NaN", TYPE),
    ("retry", "base_seconds", "Infinity", TYPE),
    ("retry", "base_seconds", "60", TYPE),
    ("retry", "base_seconds", True, TYPE),
    ("retry", "base_seconds", [60], TYPE),
    ("retry", "max_seconds", -1, LOW),
    ("retry", "max_seconds", 604_801, HIGH),
    ("retry", "max_seconds", 1e308, HIGH),
    ("retry", "max_seconds", "nan", TYPE),
    ("retry", "max_seconds", 59, "retry.max_below_base"),
    ("retry", "max_seconds", 0, "retry.max_below_base"),
    ("retry", "strategy", "random", "invalid_choice"),
    ("retry", "strategy", None, "null"),
    ("retry", "strategy", 2, "invalid_choice"),
    ("retry", "jitter", 1, "invalid_choice"),
    ("retry", "jitter", "equal", "invalid_choice"),
    ("retry", "delays_seconds", [1], "retry.field_misplaced"),
    ("retry", "retry_on", "timeout", "not_a_list"),
    ("retry", "retry_on", ["timeout", "timeout"], "duplicate"),
    ("retry", "give_up_on", [str(400 + n) for n in range(51)], "max_length"),
    ("policy", "timeout_seconds", 0, LOW),
    ("policy", "timeout_seconds", -5, LOW),
    ("policy", "timeout_seconds", 604_801, HIGH),
    ("policy", "timeout_seconds", 1e308, HIGH),
    ("policy", "timeout_seconds", "nan", TYPE),
    ("policy", "timeout_seconds", "5", TYPE),
    ("policy", "timeout_seconds", False, TYPE),
    ("policy", "timeout_seconds", None, "null"),
    ("policy", "overlap", "maybe", "invalid_choice"),
    ("policy", "misfire", "Latest", "invalid_choice"),
    ("policy", "priority", 2, "invalid_choice"),
    ("policy", "priority", "urgent", "invalid_choice"),
    ("policy", "on_lost", "", "invalid_choice"),
    ("policy", "queue", "nowhere", "queue_unknown"),
    ("policy", "queue", "DEFAULT", "queue_unknown"),
    ("policy", "queue", "default ", "queue_unknown"),
    ("policy", "queue", "", "blank"),
    ("policy", "queue", 5, TYPE),
    ("policy", "queue", "x" * 10_000, "max_length"),
    ("policy", "window", 0, "unknown_field"),
    ("policy", "concurrency", 0, LOW),
    ("policy", "concurrency", -1, LOW),
    ("policy", "concurrency", 1.5, TYPE),
    ("policy", "concurrency", "1", TYPE),
    ("policy", "concurrency", 2**62, HIGH),
    ("policy", "limit", "nowhere", "limit_unknown"),
    ("policy", "limit", "", "blank"),
    ("policy", "limit", 5, TYPE),
    ("policy", "start_deadline_seconds", 0, LOW),
    ("policy", "start_deadline_seconds", -1, LOW),
    ("policy", "start_deadline_seconds", "nan", TYPE),
    ("policy", "catch_up_max", 0, LOW),
    ("policy", "catch_up_max", 100_001, HIGH),
    ("policy", "catch_up_max", None, "null"),
    ("policy", "catch_up_pace_seconds", -1, LOW),
    ("policy", "catch_up_pace_seconds", True, TYPE),
]


@pytest.mark.parametrize(("section", "field", "value", "code"), SENSELESS)
def test_a_senseless_policy_is_refused(
    api: APIClient, section: str, field: str, value: Any, code: str
) -> None:
    body = {"name": "Report", section: {field: value}}
    refused(api.post(JOBS, body), f"/{section}/{field}", code)


@pytest.mark.parametrize(("section", "field", "value", "code"), SENSELESS)
def test_a_job_is_not_changed_to_a_senseless_policy(
    api: APIClient, team: Team, section: str, field: str, value: Any, code: str
) -> None:
    job = JobFactory.create(team=team)
    answer = api.patch(f"{JOBS}/{job.slug}", {section: {field: value}})
    assert faults(answer) == {f"/{section}/{field}": code}
    assert job.versions.count() == 1


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({"max_retries": -1}, "/max_retries", LOW),
        ({"max_retries": 100}, "/max_retries", HIGH),
        ({"max_retries": "3"}, "/max_retries", TYPE),
        ({"max_retries": True}, "/max_retries", TYPE),
        ({"retryPolicy": {"maxAttempts": 0}}, "/retryPolicy/maxAttempts", LOW),
        ({"retryPolicy": {"backoffStrategy": "RANDOM"}}, "/retryPolicy/backoffStrategy",
         "invalid_choice"),
        ({"retryPolicy": {"backoffSeconds": -1}}, "/retryPolicy/backoffSeconds", LOW),
        ({"retryPolicy": None}, "/retryPolicy", "null"),
        ({"retryPolicy": "never"}, "/retryPolicy", TYPE),
    ],
)  # fmt: skip
def test_a_fault_has_the_name_that_the_caller_used(
    api: APIClient, body: dict[str, Any], pointer: str, code: str
) -> None:
    refused(api.post(JOBS, {"name": "Report"} | body), pointer, code)


# --- targets -------------------------------------------------------------------------------------

FORBIDDEN = "target_forbidden"


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/", "http://127.1/", "http://2130706433/", "http://0x7f.1/",
        "http://0177.0.0.1/",
        "http://0/", "http://0.0.0.0/", "http://localhost/", "http://LOCALHOST:8080/",
        "http://a.localhost./",
        "http://10.0.0.1/", "http://172.16.0.1/", "http://192.168.1.1/", "http://100.64.0.1/",
        "http://169.254.169.254/latest/meta-data/", "http://100.100.100.200/", "http://224.0.0.1/",
        "http://255.255.255.255/", "http://192.0.2.1/", "http://198.18.0.1/", "http://240.0.0.1/",
        "http://[::1]/", "http://[::]/", "http://[::ffff:127.0.0.1]/", "http://[::127.0.0.1]/",
        "http://[64:ff9b::7f00:1]/", "http://[2002:7f00:1::]/", "http://[2001::1]/",
        "http://[fe80::1]/",
        "http://[fc00::1]/", "http://[fec0::1]/", "http://[ff02::1]/", "http://[fe80::1%25eth0]/",
        "http://\u2460\u2461\u2466.0.0.1/", "http://127\u30020\u30020\u30021/",
        "ftp://example.org/", "file:///etc/passwd", "gopher://example.org/", "javascript:alert(1)",
        "data:text/plain,x", "ws://example.org/", "//example.org/", "example.org",
        "http:/example.org",
        "http://", "http:///path", "", "http://user@example.org/", "http://user:pw@example.org/",
        "http://a@b@127.0.0.1/", "http://example.org@127.0.0.1/", "http://example.org:0/",
        "http://example.org:22/", "http://example.org:6379/", "http://example.org:65536/",
        "http://example.org:-1/", "http://example.org:x/", "http://exa mple.org/",
        " http://example.org/",
        "http://example.org/\r\nX-Evil: 1", "http://example.org/\tx",
        "http://example.org\\@127.0.0.1/",
        "http://example..org/", "http://-.org/", "http://[::1/", "http://[1.2.3.4]/",
        "http://" + "a" * 64 + ".org/", "http://example.org/" + "x" * 3000,
    ],
)  # fmt: skip
def test_such_a_url_is_refused(api: APIClient, url: str) -> None:
    body = {"name": "Report", "kind": "http", "payload": {"url": url}}
    (code,) = faults(api.post(JOBS, body)).values()
    assert code in {FORBIDDEN, "blank", "max_length"}
    refused(api.post(JOBS, body), "/payload/url", code)
    nested = {"name": "Report", "type": "HTTP", "payload": {"httpUrl": url}}
    refused(api.post(JOBS, nested), "/payload/httpUrl", code)


@pytest.mark.parametrize("url", [None, ["http://example.org"], {"host": "example.org"}, True])
def test_a_url_is_text(api: APIClient, url: Any) -> None:
    body = {"name": "Report", "kind": "http", "payload": {"url": url}}
    refused(api.post(JOBS, body), "/payload/url", "null" if url is None else "invalid")


@pytest.mark.parametrize(
    "method", ["FOO", "CONNECT", "TRACE", "get", "", "GET ", "GET\r\nX: 1", None, 5]
)
def test_such_a_method_is_refused(api: APIClient, method: Any) -> None:
    payload = {"url": "https://example.org", "method": method}
    answer = api.post(JOBS, {"name": "Report", "kind": "http", "payload": payload})
    refused(answer, "/payload/method", "null" if method is None else "invalid_choice")


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "127.0.0.1"}, {"host": "x"}, {"Content-Length": "5"},
        {"Transfer-Encoding": "chunked"},
        {"Connection": "close"}, {"TE": "trailers"}, {"Upgrade": "h2c"}, {"Expect": "100-continue"},
        {"X-Chronos-Attempt": "1"}, {"x-chronos-anything": "1"}, {"Idempotency-Key": "mine"},
        {"traceparent": "00-0"}, {"Proxy-Authorization": "x"}, {"": "x"}, {"a b": "x"},
        {"a:b": "x"},
        {"a\r\nb": "x"}, {"\u00e9": "x"}, {"x" * 101: "x"}, {"X-A": "a\r\nX-B: b"}, {"X-A": "a\nb"},
        {"X-A": "\u00e9"}, {"X-A": "\x1b[31m"}, {"X-A": " padded "}, {"X-A": "1", "x-a": "2"},
    ],
)  # fmt: skip
def test_such_a_header_is_refused(api: APIClient, headers: dict[str, str]) -> None:
    payload = {"url": "https://example.org", "headers": headers}
    answer = api.post(JOBS, {"name": "Report", "kind": "http", "payload": payload})
    refused(answer, "/payload/headers", FORBIDDEN)


@pytest.mark.parametrize(
    ("payload", "faulty"),
    [
        ({}, {"/payload/url": "required"}),
        ({"url": "https://example.org", "headers": "a: b"}, {"/payload/headers": "not_a_dict"}),
        ({"url": "https://example.org", "headers": {"X-A": None}},
        {"/payload/headers/X-A": "null"}),
        ({"url": "https://example.org", "headers": {"X-A": ["b"]}},
        {"/payload/headers/X-A": "invalid"}),
        ({"url": "https://example.org", "headers": {f"X-{n}": "a" for n in range(51)}},
         {"/payload/headers": "too_many"}),
        ({"url": "https://example.org", "verify": False}, {"/payload/verify": "unknown_field"}),
        ({"url": "http://[::1]/", "method": "FOO", "proxy": "x"},
         {"/payload/url": FORBIDDEN, "/payload/method": "invalid_choice",
          "/payload/proxy": "unknown_field"}),
    ],
)  # fmt: skip
def test_such_a_payload_is_refused(
    api: APIClient, payload: dict[str, Any], faulty: dict[str, str]
) -> None:
    answer = api.post(JOBS, {"name": "Report", "kind": "http", "payload": payload})
    assert faults(answer) == faulty


def test_a_job_is_not_changed_to_a_forbidden_target(api: APIClient, team: Team) -> None:
    job = JobFactory.create(
        team=team, kind="http", version__payload={"url": "https://example.org", "method": "GET"}
    )
    for body in (
        {"payload": {"url": "http://169.254.169.254/"}},
        {"payload": {"httpUrl": "http://[::1]/"}},
        {"payload": {"headers": {"Host": "x"}}},
    ):
        (code,) = faults(api.patch(f"{JOBS}/{job.slug}", body)).values()
        assert code == FORBIDDEN
    assert job.versions.count() == 1


def test_an_old_job_with_a_forbidden_target_can_still_be_paused(api: APIClient, team: Team) -> None:
    job = JobFactory.create(team=team, kind="http", version__payload={"url": "http://127.0.0.1"})
    answer = api.patch(f"{JOBS}/{job.slug}", {"status": "paused", "name": "Old"})
    assert (answer.status_code, answer.json()["status"]) == (200, "paused")
    answer = api.patch(f"{JOBS}/{job.slug}", {"payload": {"method": "PUT"}})
    assert faults(answer) == {"/payload/url": FORBIDDEN}


@pytest.mark.parametrize("function", ["os.system", "builtins.eval", "", "no.such.function"])
def test_only_registered_functions_are_called(api: APIClient, function: str) -> None:
    body = {"name": "Report", "kind": "python", "payload": {"function": function}}
    code = "unknown_function" if function else "blank"
    refused(api.post(JOBS, body), "/payload/function", code)

"""Rules of jobs/kinds/http.py, against a real server on loopback."""

from __future__ import annotations

import json
import threading
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.conf import settings

from jobs.kinds.base import Failed, Outcome, Succeeded
from jobs.kinds.http import KEPT_BODY, KIND
from jobs.tests.contexts import EXECUTION, JOB, a_context
from lib import egress
from lib.tests.servers import Server, answering, hanging, resetting

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def loopback() -> Iterator[None]:
    egress.configure(allow_private=["127.0.0.0/8", "::1/128"])
    yield
    egress.configure(allow_private=settings.CHRONOS_HTTP_ALLOW_PRIVATE)


def answer(status: str, *headers: str, body: bytes = b"") -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def faults(**payload: Any) -> dict[str, str]:
    """Return the code of the first fault of each field."""
    checked = KIND.payload(data={"url": "https://svc.example/report"} | payload)
    checked.is_valid()
    return {field: fault[0].code for field, fault in checked.errors.items()}


def run(
    url: str, *, timeout: float = 5, stop: threading.Event | None = None, **rest: Any
) -> Outcome:
    checked = KIND.payload(data={"url": url} | rest)
    checked.is_valid(raise_exception=True)
    context = a_context(
        attempt=2, timeout=timedelta(seconds=timeout), stop=stop or threading.Event()
    )
    return KIND.run(json.loads(json.dumps(checked.validated_data)), context)


# What is accepted


def test_only_the_url_is_needed() -> None:
    checked = KIND.payload(data={"url": "https://svc.example/report"})

    assert checked.is_valid()
    assert checked.validated_data == {
        "url": "https://svc.example/report",
        "method": "GET",
        "headers": {},
        "body": None,
    }


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/",
        "http://2130706433/",
        "http://localhost/",
        "http://169.254.169.254/latest/meta-data/",
        "http://[::ffff:10.0.0.1]/",
        "http://svc.example:6379/",
        "http://user:secret@svc.example/",
        "ftp://svc.example/",
        " http://svc.example/",
        "http://svc.example/\r\n",
        "svc.example",
    ],
)
def test_a_url_that_may_not_be_called_is_refused(url: str) -> None:
    assert faults(url=url) == {"url": "target_forbidden"}


@pytest.mark.usefixtures("loopback")
def test_a_private_url_is_accepted_where_its_network_is_allowed() -> None:
    assert faults(url="http://127.0.0.1:8000/") == {}
    assert faults(url="http://10.0.0.1:8000/") == {"url": "target_forbidden"}


@pytest.mark.parametrize(
    "name",
    [
        "Host",
        "Content-Length",
        "Transfer-Encoding",
        "Connection",
        "X-Chronos-Attempt",
        "x-chronos-anything",
        "Idempotency-Key",
        "TraceParent",
        "X-A\r\nX-B",
    ],
)
def test_a_header_that_is_not_the_users_is_refused(name: str) -> None:
    assert faults(headers={name: "x"}) == {"headers": "target_forbidden"}


def test_a_header_value_with_a_line_break_is_refused() -> None:
    assert faults(headers={"X-A": "x\r\nX-B: y"}) == {"headers": "target_forbidden"}


def test_headers_are_bounded() -> None:
    assert faults(headers={f"X-{n}": "x" for n in range(50)}) == {}
    assert faults(headers={f"X-{n}": "x" for n in range(51)}) == {"headers": "too_many"}
    assert not KIND.payload(
        data={"url": "https://svc.example", "headers": {"X": "x" * 4097}}
    ).is_valid()


@pytest.mark.parametrize("method", ["FOO", "CONNECT", "TRACE", "get", "", None, 5])
def test_an_unknown_method_is_refused(method: object) -> None:
    assert list(faults(method=method)) == ["method"]


def test_an_unknown_field_is_refused() -> None:
    assert faults(timeout=5) == {"timeout": "unknown_field"}


# What is sent


@pytest.mark.usefixtures("loopback")
def test_the_target_is_told_which_attempt_calls() -> None:
    with Server(answering()) as server:
        run(server.url, headers={"Authorization": "Bearer x"})

    headers = server.requests[0].headers
    assert headers["authorization"] == "Bearer x"
    assert headers["idempotency-key"] == headers["x-chronos-execution-id"] == str(EXECUTION)
    assert headers["x-chronos-job-id"] == str(JOB)
    assert headers["x-chronos-attempt"] == "2"
    assert headers["x-chronos-scheduled-for"] == "2026-06-01T12:00:00Z"
    version, trace, span, flags = headers["traceparent"].split("-")
    assert (version, trace, len(span), flags) == ("00", EXECUTION.hex, 16, "01")


@pytest.mark.usefixtures("loopback")
@pytest.mark.parametrize(
    ("body", "sent", "content_type"),
    [
        (None, b"", None),
        ("grüße", "grüße".encode(), "text/plain; charset=utf-8"),
        ("", b"", "text/plain; charset=utf-8"),
        ({"a": [1, None]}, b'{"a": [1, null]}', "application/json"),
        ([], b"[]", "application/json"),
        (0, b"0", "application/json"),
    ],
)
def test_a_body_is_sent_as_what_it_is(body: Any, sent: bytes, content_type: str | None) -> None:
    with Server(answering()) as server:
        run(server.url, method="POST", body=body)

    assert server.requests[0].body == sent
    assert server.requests[0].headers.get("content-type") == content_type


@pytest.mark.usefixtures("loopback")
def test_the_users_content_type_wins() -> None:
    with Server(answering()) as server:
        run(server.url, method="PUT", body="<a/>", headers={"content-type": "text/xml"})

    assert server.requests[0].headers["content-type"] == "text/xml"


# What becomes of the answer


@pytest.mark.usefixtures("loopback")
def test_a_2xx_answer_is_success_and_kept() -> None:
    reply = answer("201 Created", "Content-Type: text/plain", "Set-Cookie: a=b", body=b"a\0b\xff")
    with Server(answering(reply)) as server:
        outcome = run(server.url)

    assert isinstance(outcome, Succeeded)
    assert 0 <= outcome.result.pop("elapsed_ms") < 5000
    assert outcome.result == {
        "status_code": 201,
        "headers": {"content-type": "text/plain", "content-length": "4"},
        "body": "a\ufffdb\ufffd",
        "truncated": False,
    }


@pytest.mark.usefixtures("loopback")
def test_a_long_answer_is_kept_in_part() -> None:
    with Server(answering(answer("200 OK", body=b"x" * (KEPT_BODY + 1)))) as server:
        outcome = run(server.url)

    assert isinstance(outcome, Succeeded)
    assert len(outcome.result["body"]) == KEPT_BODY
    assert outcome.result["truncated"]


@pytest.mark.usefixtures("loopback")
@pytest.mark.parametrize(
    ("status", "retryable"),
    [
        ("301 Moved", False),
        ("400 Bad", False),
        ("401 Who", False),
        ("404 Gone", False),
        ("408 Slow", True),
        ("425 Early", True),
        ("429 Many", True),
        ("500 Oops", True),
        ("501 What", False),
        ("502 Bad", True),
        ("503 Busy", True),
        ("504 Slow", True),
    ],
)
def test_another_status_fails_and_some_may_heal(status: str, retryable: bool) -> None:
    with Server(answering(answer(status, body=b"sorry"))) as server:
        outcome = run(server.url)

    assert isinstance(outcome, Failed)
    assert (outcome.reason, outcome.retryable) == ("bad_status", retryable)
    assert outcome.message == f"HTTP {status[:3]}"
    assert outcome.labels == (status[:3], f"{status[0]}xx")
    assert outcome.result["body"] == "sorry"


@pytest.mark.usefixtures("loopback")
@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        (["Retry-After: 7"], 7),
        (["Retry-After: 99999999999999"], 3600),
        (["Date: Mon, 01 Jun 2026 12:00:00 GMT", "Retry-After: Mon, 01 Jun 2026 12:01:30 GMT"], 90),
        (["Date: Mon, 01 Jun 2026 12:00:00 GMT", "Retry-After: Mon, 01 Jun 2020 12:00:00 GMT"], 0),
        (["Retry-After: Mon, 01 Jun 2026 12:01:30 GMT"], None),
        (["Retry-After: -5"], None),
        (["Retry-After: soon"], None),
        (["Date: x", "Retry-After: Mon, 01 Jun 2026 12:01:30 +99999999999999"], None),
        ([], None),
    ],
)
def test_the_target_says_when_to_come_back(headers: list[str], seconds: int | None) -> None:
    with Server(answering(answer("503 Busy", *headers))) as server:
        outcome = run(server.url)

    assert isinstance(outcome, Failed)
    assert outcome.retry_in == (None if seconds is None else timedelta(seconds=seconds))


@pytest.mark.usefixtures("loopback")
def test_no_answer_in_time_is_a_timeout() -> None:
    with Server(hanging) as server:
        outcome = run(server.url, timeout=0.3)

    assert outcome == Failed("timeout", "No complete answer within 0.3 s.")


@pytest.mark.usefixtures("loopback")
def test_a_reset_connection_is_unreachable() -> None:
    with Server(resetting) as server:
        outcome = run(server.url)

    assert isinstance(outcome, Failed)
    assert (outcome.reason, outcome.retryable) == ("unreachable", True)


@pytest.mark.usefixtures("loopback")
def test_a_stopped_attempt_ends_its_call() -> None:
    stop = threading.Event()
    stop.set()
    with Server(hanging) as server:
        outcome = run(server.url, stop=stop)

    assert isinstance(outcome, Failed)
    assert outcome.reason == "stopped"


def test_a_target_that_became_forbidden_is_not_called_and_not_tried_again() -> None:
    with Server(answering()) as canary:
        outcome = KIND.run({"url": canary.url}, a_context())

    assert isinstance(outcome, Failed)
    assert (outcome.reason, outcome.retryable) == ("target_forbidden", False)
    assert canary.connections == 0

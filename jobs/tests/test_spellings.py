"""Each spelling of a job means one canonical body, and the caller's names are remembered."""

from __future__ import annotations

from typing import Any

import pytest

from jobs.spellings import canonical, pointer
from jobs.tests.spelled import CANONICAL, FLAT, NESTED


def test_the_canonical_spelling_means_itself() -> None:
    said = canonical(CANONICAL)
    assert said.body == CANONICAL
    assert not said.aliases
    assert not said.faults


def test_the_flat_spelling_as_clients_send_it() -> None:
    said = canonical(FLAT)
    assert not said.faults
    assert said.body == {
        "name": "Weekly Newsletter",
        "description": "Send newsletter every Monday",
        "schedule": {"type": "cron", "cron": "0 9 * * 1"},
        "payload": {"template": "weekly_digest"},
    }
    assert said.aliases == {
        "/schedule/type": "/schedule_type",
        "/schedule/cron": "/cron_expression",
    }


def test_the_nested_spelling_as_clients_send_it() -> None:
    said = canonical(NESTED)
    assert not said.faults
    assert said.body == {
        "name": "Sample HTTP Job",
        "kind": "http",
        "schedule": {"type": "once", "run_at": "2027-12-25T10:00:00Z"},
        "payload": {"url": "https://example.org/get", "method": "GET"},
        "retry": {"max_attempts": 3, "strategy": "exponential", "base_seconds": 60},
    }
    assert said.aliases["/retry"] == "/retryPolicy"
    assert said.aliases["/retry/base_seconds"] == "/retryPolicy/backoffSeconds"


def test_the_body_that_is_read_stays_as_it_was() -> None:
    before = {"retryPolicy": {}, "schedule": {"cronExpr": "* * * * *"}, "payload": {"httpUrl": "x"}}
    body = {name: dict(value) for name, value in before.items()}
    canonical(body, kind="http")
    assert body == before


@pytest.mark.parametrize(
    ("body", "schedule"),
    [
        ({"schedule_type": "immediate"}, {"type": "once", "run_at": None}),
        ({"schedule": {"type": "IMMEDIATE"}}, {"type": "once", "run_at": None}),
        ({"schedule": {"type": "HOURLY"}}, {"type": "cron", "cron": "0 * * * *"}),
        ({"schedule": {"type": "daily"}}, {"type": "cron", "cron": "0 0 * * *"}),
        ({"schedule": {"type": "WEEKLY"}}, {"type": "cron", "cron": "0 0 * * 0"}),
        ({"schedule": {"type": "MONTHLY"}}, {"type": "cron", "cron": "0 0 1 * *"}),
        ({"schedule": {"type": "MANUAL"}}, {"type": "manual"}),
        ({"schedule": {"type": "DAILY", "timezone": "Europe/Berlin"}},
         {"type": "cron", "cron": "0 0 * * *", "timezone": "Europe/Berlin"}),
        ({"schedule": {"type": "CRON", "cronExpr": "0 0 12 * * ?"}},
         {"type": "cron", "cron": "0 0 12 * * ?"}),
        ({"schedule": {"type": "INTERVAL", "intervalSeconds": 5}},
         {"type": "interval", "every_seconds": 5}),
        ({"schedule_type": "interval", "interval_seconds": 5},
         {"type": "interval", "every_seconds": 5}),
        ({"job_type": "one_time", "schedule_type": "once", "scheduled_at": "2027-01-01T00:00:00Z"},
         {"type": "once", "run_at": "2027-01-01T00:00:00Z"}),
        ({"job_type": "one_time", "run_at": "2027-01-01T00:00:00Z"},
         {"type": "once", "run_at": "2027-01-01T00:00:00Z"}),
        ({"cron_expression": "* * * * *"}, {"type": "cron", "cron": "* * * * *"}),
        ({"schedule": {"every_seconds": 5}}, {"type": "interval", "every_seconds": 5}),
        ({"schedule": {"timezone": "UTC"}}, {"timezone": "UTC"}),
        ({"schedule": {"type": "Yesterday"}}, {"type": "Yesterday"}),
        ({"schedule": {"type": 7}}, {"type": 7}),
        ({"schedule": {"type": None}}, {"type": None}),
        ({"schedule": "daily"}, "daily"),
        ({"schedule": "daily", "cron_expression": "* * * * *"}, "daily"),
        ({"schedule": {}}, {}),
    ],
)  # fmt: skip
def test_a_schedule_in_any_words(body: dict[str, Any], schedule: Any) -> None:
    said = canonical(body)
    assert said.body["schedule"] == schedule
    assert not said.faults


@pytest.mark.parametrize(
    ("retries", "attempts"), [(0, 1), (3, 4), (-1, 0), (True, True), ("3", "3"), (None, None)]
)
def test_retries_do_not_count_the_first_try(retries: Any, attempts: Any) -> None:
    assert canonical({"max_retries": retries}).body == {"retry": {"max_attempts": attempts}}


@pytest.mark.parametrize("word", ["HTTP", "http", "Http"])
def test_a_kind_may_be_shouted(word: str) -> None:
    assert canonical({"type": word}).body == canonical({"kind": word}).body == {"kind": "http"}


def test_the_names_of_http_mean_nothing_in_the_payload_of_another_kind() -> None:
    body = {"kind": "noop", "payload": {"httpUrl": "mine"}}
    assert canonical(body).body == body
    assert canonical({"payload": {"httpUrl": "mine"}}).body == {"payload": {"httpUrl": "mine"}}


def test_a_partial_body_takes_the_kind_of_its_job() -> None:
    said = canonical({"payload": {"httpUrl": "https://example.org", "httpBody": [1]}}, kind="http")
    assert said.body == {"payload": {"url": "https://example.org", "body": [1]}}


@pytest.mark.parametrize(
    ("body", "at", "names"),
    [
        ({"cron_expression": "1 * * * *", "schedule": {"cron": "2 * * * *"}},
         "/schedule/cron", ["cron_expression", "schedule.cron"]),
        ({"scheduled_at": "2027-01-01T00:00:00Z", "run_at": "2028-01-01T00:00:00Z"},
         "/run_at", ["scheduled_at", "run_at"]),
        ({"kind": "noop", "type": "HTTP"}, "/type", ["kind", "type"]),
        ({"max_retries": 3, "retryPolicy": {"maxAttempts": 3}},
         "/retryPolicy/maxAttempts", ["max_retries", "retryPolicy.maxAttempts"]),
        ({"retry": {"base_seconds": 1}, "retryPolicy": {"backoffSeconds": 2}},
         "/retryPolicy/backoffSeconds", ["retry.base_seconds", "retryPolicy.backoffSeconds"]),
        ({"retry": {"max_attempts": 1}, "retryPolicy": {"maxAttempts": True}},
         "/retryPolicy/maxAttempts", ["retry.max_attempts", "retryPolicy.maxAttempts"]),
        ({"schedule": {"type": "DAILY", "cronExpr": "5 * * * *"}},
         "/schedule/cronExpr", ["schedule.type", "schedule.cronExpr"]),
        ({"schedule_type": "immediate", "run_at": "2027-01-01T00:00:00Z"},
         "/run_at", ["schedule_type", "run_at"]),
        ({"schedule_type": "cron", "schedule": {"type": "interval"}},
         "/schedule/type", ["schedule_type", "schedule.type"]),
        ({"kind": "http", "payload": {"url": "https://a.example", "httpUrl": "https://b.example"}},
         "/payload/httpUrl", ["payload.url", "payload.httpUrl"]),
        ({"job_type": "recurring", "schedule_type": "once"},
         "/schedule_type", ["job_type", "schedule_type"]),
        ({"job_type": "one_time", "cron_expression": "* * * * *"},
         "/cron_expression", ["job_type", "cron_expression"]),
        ({"retry": "often", "retryPolicy": {}}, "/retryPolicy", ["retry", "retryPolicy"]),
    ],
)  # fmt: skip
def test_a_field_said_twice_differently_is_a_fault_that_names_both(
    body: dict[str, Any], at: str, names: list[str]
) -> None:
    (where, fault), *others = canonical(body).faults.items()
    assert not others
    assert (where, fault.code) == (at, "conflicting_fields")
    assert all(name in str(fault) for name in names)


def test_a_field_said_twice_alike_is_fine() -> None:
    body = {"kind": "http", "type": "HTTP", "max_retries": 2, "retryPolicy": {"maxAttempts": 3}}
    said = canonical(body)
    assert not said.faults
    assert said.body == {"kind": "http", "retry": {"max_attempts": 3}}


@pytest.mark.parametrize("job_type", ["sometimes", "", "RECURRING", None, 7, ["recurring"], {}])
def test_an_unknown_job_type_is_a_fault(job_type: Any) -> None:
    faults = canonical({"job_type": job_type, "schedule_type": "cron"}).faults
    assert {where: fault.code for where, fault in faults.items()} == {"/job_type": "invalid_choice"}


def test_a_job_type_alone_does_not_say_when() -> None:
    (where, fault), *_ = canonical({"job_type": "recurring"}).faults.items()
    assert (where, fault.code) == ("/schedule_type", "required")


def test_what_has_no_meaning_stays_where_a_serializer_refuses_it() -> None:
    said = canonical({"colour": 1, "retryPolicy": {"jitter": 2}, "schedule": {"cronexpr": 3}})
    assert said.body == {"colour": 1, "retry": {"jitter": 2}, "schedule": {"cronexpr": 3}}
    assert said.called("/retry/jitter") == "/retryPolicy/jitter"


@pytest.mark.parametrize(
    ("canonical_pointer", "callers"),
    [
        ("/name", "/name"),
        ("", ""),
        ("/schedule/cron", "/cron_expression"),
        ("/schedule/timezone", "/schedule/timezone"),
        ("/payload/headers/X~1Y/0", "/payload/httpHeaders/X~1Y/0"),
        ("/retry/strategy", "/retryPolicy/strategy"),
    ],
)
def test_a_fault_is_told_by_the_name_that_the_caller_used(
    canonical_pointer: str, callers: str
) -> None:
    body = {
        "type": "HTTP",
        "cron_expression": "*",
        "payload": {"httpHeaders": {}},
        "retryPolicy": {},
    }
    assert canonical(body).called(canonical_pointer) == callers


def test_a_pointer_escapes_what_pointers_are_made_of() -> None:
    assert pointer("a/b", "c~d") == "/a~1b/c~0d"

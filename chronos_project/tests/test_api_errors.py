"""Which answer the faults of a request get."""

from __future__ import annotations

from typing import Any

import pytest
from django.core import exceptions as django_errors
from kombu.exceptions import OperationalError as BrokerError
from redis.exceptions import ConnectionError as RedisAwayError
from rest_framework import exceptions as drf

from chronos_project.tests.raising import answer_of, body_of, errors_of
from jobs.triggers.base import TriggerError
from lib.faults import BodyTooLargeError, HeaderError, ParameterError, fault

# --- Faults of what was sent ------------------------------------------------------------------


def test_one_fault_gives_the_answer_its_code_and_words() -> None:
    body = body_of(
        drf.ValidationError({"schedule": {"cron": [fault("Bad.", "schedule.cron_invalid")]}})
    )

    assert body["status"] == 400
    assert body["code"] == "schedule.cron_invalid"
    assert body["type"] == "/problems/schedule.cron_invalid"
    assert body["detail"] == "schedule.cron: Bad."
    assert body["instance"] == "/api/v1/things"
    assert body["errors"] == [
        {"pointer": "/schedule/cron", "code": "schedule.cron_invalid", "detail": "Bad."}
    ]


def test_several_faults_are_all_told() -> None:
    body = body_of(drf.ValidationError({"a": ["No."], "b": {"c": [fault("Gone.", "gone")]}}))

    assert body["code"] == "validation_failed"
    assert [error["pointer"] for error in body["errors"]] == ["/a", "/b/c"]


def test_a_word_of_no_row_leads_to_the_page_about_faults() -> None:
    body = body_of(drf.ValidationError({"a": [fault("No.", "strange")]}))

    assert (body["code"], body["type"]) == ("strange", "/problems/invalid")


def test_a_word_of_no_row_that_is_no_fault_leads_nowhere() -> None:
    body = body_of(drf.PermissionDenied("No.", code="strange"))

    assert (body["type"], body["title"]) == ("about:blank", "Forbidden")


def test_a_hint_and_the_allowed_values_come_along() -> None:
    error = errors_of(drf.ValidationError({"a": [fault("No.", "word", "Try b.", ["b"])]}))[0]

    assert (error["hint"], error["allowed"]) == ("Try b.", ["b"])


@pytest.mark.parametrize(
    ("detail", "pointer"),
    [
        ("No.", ""),
        (["No."], ""),
        ({"non_field_errors": ["No."]}, ""),
        ({"a": {"non_field_errors": ["No."]}}, "/a"),
        ({"a": {0: ["No."]}}, "/a/0"),
        ({"a": [{}, {"b": ["No."]}]}, "/a/1/b"),
        ({"a/b": ["No."]}, "/a~1b"),
        ({"a~b": ["No."]}, "/a~0b"),
        ({"": ["No."]}, "/"),
    ],
)
def test_a_pointer_leads_to_the_fault(detail: Any, pointer: str) -> None:
    assert errors_of(drf.ValidationError(detail))[0]["pointer"] == pointer


def test_faults_of_parameters_and_headers_are_told_by_name() -> None:
    assert errors_of(ParameterError({"limit": ["No."]}))[0]["parameter"] == "limit"
    assert errors_of(HeaderError({"If-Match": ["No."]}))[0]["header"] == "If-Match"


def test_a_request_without_a_body_is_only_wrong_in_its_parameters() -> None:
    assert errors_of(drf.ValidationError({"status": ["No."]}), "GET")[0]["parameter"] == "status"


def test_the_faults_of_one_answer_are_bounded() -> None:
    body = body_of(drf.ValidationError({str(n): ["x" * 10_000] * 3 for n in range(5000)}))

    assert len(body["errors"]) == 100
    assert len(str(body)) < 50_000
    assert body["detail"] == "More than 100 things are wrong; errors names the first 100."


def test_text_that_utf_8_cannot_carry_is_mended() -> None:
    answer = answer_of(drf.ValidationError({"\ud800": ["\x00"]}))

    assert answer.data["errors"][0]["pointer"] == "/?"
    assert answer.content


def test_djangos_own_validation_errors_look_the_same() -> None:
    assert errors_of(django_errors.ValidationError({"name": ["No."]}))[0]["pointer"] == "/name"


def test_a_trigger_error_points_into_the_schedule() -> None:
    error = errors_of(TriggerError("cron", "schedule.cron_invalid", "Bad.", hint="Do."))[0]

    assert error == {
        "pointer": "/schedule/cron",
        "code": "schedule.cron_invalid",
        "detail": "Bad.",
        "hint": "Do.",
    }


@pytest.mark.parametrize(
    ("exc", "status", "code"),
    [
        (drf.ParseError("x"), 400, "parse_error"),
        (django_errors.SuspiciousOperation("x"), 400, "suspicious_request"),
        (django_errors.TooManyFieldsSent("x"), 400, "suspicious_request"),
        (drf.PermissionDenied(), 403, "permission_denied"),
        (django_errors.PermissionDenied("x"), 403, "permission_denied"),
        (drf.NotAcceptable(), 406, "not_acceptable"),
        (drf.MethodNotAllowed("FOO"), 405, "method_not_allowed"),
        (BodyTooLargeError(), 413, "body_too_large"),
        (django_errors.RequestDataTooBig("x"), 413, "body_too_large"),
        (drf.UnsupportedMediaType("text/x"), 415, "unsupported_media_type"),
        (drf.Throttled(wait=2.5), 429, "throttled"),
        (BrokerError("redis://:pw@host"), 503, "broker_unavailable"),
        (RedisAwayError("redis://:pw@host"), 503, "broker_unavailable"),
    ],
)
def test_each_exception_has_its_status_and_code(exc: Exception, status: int, code: str) -> None:
    answer = answer_of(exc)

    assert answer.status_code == answer.data["status"] == status
    assert answer.data["code"] == code
    assert answer["Content-Type"] == "application/problem+json"
    assert "pw@" not in answer.content.decode()


def test_a_throttled_caller_is_told_for_how_long() -> None:
    answer = answer_of(drf.Throttled(wait=30))

    assert answer["Retry-After"] == "30"
    assert answer.data["retry_after"] == 30


def test_a_page_of_the_browsable_api_stays_a_page() -> None:
    answer = answer_of(drf.PermissionDenied(), "GET", Accept="text/html")

    assert answer["Content-Type"].startswith("text/html")


def test_what_nobody_thought_of_is_raised_again() -> None:
    with pytest.raises(ZeroDivisionError):
        answer_of(ZeroDivisionError())

"""Texts that could mislead are refused; all others are kept to the letter."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from jobs.models import Job
from jobs.tests.calls import JOBS
from jobs.tests.refusals import refused

if TYPE_CHECKING:
    from rest_framework.test import APIClient

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("", "blank"),
        (" ", "blank"),
        ("\u00a0\u2003", "blank"),
        ("\u200b", "blank"),
        ("\u2060\ufeff", "blank"),
        (" Report", "surrounding_blank"),
        ("Report\u00a0", "surrounding_blank"),
        ("x" * 201, "max_length"),
        ("x" * 256, "max_length"),
        ("\U0001f4a5" * 201, "max_length"),
        ("x" * 500_000, "max_length"),
        ("Report\u202egpj.exe", "control_characters"),
        ("\u2066Report\u2069", "control_characters"),
        ("Report\u200f", "control_characters"),
        ("Report\r\nX-Evil: 1", "control_characters"),
        ("Report\tDaily", "control_characters"),
        ("\x1b[31mReport", "control_characters"),
        ("Report\x7f", "control_characters"),
        ("Report\x85", "control_characters"),
        ("Report\u2028Daily", "control_characters"),
    ],
)
def test_such_a_name_is_refused(api: APIClient, name: str, code: str) -> None:
    refused(api.post(JOBS, {"name": name}), "/name", code)


@pytest.mark.parametrize(
    "text",
    ["x" * 200, "\U0001f4a5" * 200, "<script>alert(1)</script>", "{{7*7}} ${7*7} %(x)s {0} %s %n",
     "'; DROP TABLE jobs_job; --", "Cafe\u0301", "Caf\u00e9", "\u0645\u0631\u062d\u0628\u0627",
     "\u0646\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", "a\u200bb",
     "\U0001f468\u200d\U0001f469",
     "=cmd|' /C calc'!A0", "../../etc/passwd", "null", "0", "\\u0000", "%00"],
)  # fmt: skip
def test_any_other_text_is_kept_to_the_letter(api: APIClient, text: str) -> None:
    job = api.post(JOBS, {"name": text, "description": text, "payload": {text: text}}).json()
    assert (job["name"], job["description"], job["payload"]) == (text, text, {text: text})
    assert api.get(f"{JOBS}/{job['id']}").json()["name"] == text
    assert Job.objects.get().name == text


@pytest.mark.parametrize(
    "text", ["", " ", "line\r\nline\ttab", "\u202eturned", "\x1b[31mred", "x" * 5000, " padded "]
)
def test_a_description_is_kept_to_the_letter(api: APIClient, text: str) -> None:
    assert api.post(JOBS, {"name": "Report", "description": text}).json()["description"] == text


def test_a_description_has_an_end(api: APIClient) -> None:
    body = {"name": "Report", "description": "x" * 5001}
    refused(api.post(JOBS, body), "/description", "max_length")


def test_twins_of_one_name_are_two_jobs(api: APIClient) -> None:
    twins = [api.post(JOBS, {"name": name}).json() for name in ("Cafe\u0301", "Caf\u00e9")]
    assert [twin["slug"] for twin in twins] == ["cafe", "cafe-2"]


@pytest.mark.parametrize(
    ("slug", "code"),
    [("", "blank"), (" ", "slug_invalid"), ("Report", "slug_invalid"), ("a b", "slug_invalid"),
     ("a/b", "slug_invalid"), ("..", "slug_invalid"), ("a--b", "slug_invalid"),
     ("\u0430bc", "slug_invalid"), ("a\u202eb", "slug_invalid"), ("a\n", "slug_invalid"),
     ("by-slug", "slug_invalid"), ("x" * 81, "slug_invalid"), ("x" * 100_000, "slug_invalid"),
     ("0190a2f4-0000-7000-8000-000000000000", "slug_invalid")],
)  # fmt: skip
def test_such_a_slug_is_refused(api: APIClient, slug: str, code: str) -> None:
    refused(api.post(JOBS, {"name": "Report", "slug": slug}), "/slug", code)

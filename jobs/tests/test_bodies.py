"""The canonical body: how a change is laid over it, and what is left open gets settled."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from jobs import bodies
from jobs.triggers import TriggerError
from tests.factories import NOON

LATER = NOON + timedelta(hours=1)
HTTP: dict[str, Any] = {
    **bodies.DEFAULTS,
    "name": "Report",
    "kind": "http",
    "payload": {"url": "https://example.org", "method": "GET"},
    "schedule": {"type": "cron", "cron": "0 9 * * *", "timezone": "Asia/Tokyo"},
}


@pytest.mark.parametrize(
    ("changes", "name", "expected"),
    [
        ({}, "payload", HTTP["payload"]),
        ({"name": "Other"}, "name", "Other"),
        ({"payload": {"method": "PUT"}}, "payload", HTTP["payload"] | {"method": "PUT"}),
        ({"payload": {}}, "payload", HTTP["payload"]),
        ({"kind": "noop"}, "payload", {}),
        ({"kind": "noop", "payload": {"a": 1}}, "payload", {"a": 1}),
        ({"kind": "http", "payload": {"body": 1}}, "payload", HTTP["payload"] | {"body": 1}),
        ({"payload": "text"}, "payload", "text"),
        ({"schedule": {"cron": "5 * * * *"}}, "schedule", HTTP["schedule"] | {"cron": "5 * * * *"}),
        ({"schedule": {"type": "cron", "timezone": "UTC"}}, "schedule",
         HTTP["schedule"] | {"timezone": "UTC"}),
        ({"schedule": {"type": "manual"}}, "schedule", {"type": "manual"}),
        ({"schedule": {"type": "interval", "every_seconds": 5}}, "schedule",
         {"type": "interval", "every_seconds": 5}),
        ({"retry": {"max_attempts": 9}}, "retry", HTTP["retry"] | {"max_attempts": 9}),
        ({"tags": ["b"]}, "tags", ["b"]),
    ],
)  # fmt: skip
def test_a_change_is_laid_over_the_body(changes: dict[str, Any], name: str, expected: Any) -> None:
    before = {key: dict(value) if isinstance(value, dict) else value for key, value in HTTP.items()}
    assert bodies.merged(HTTP, changes)[name] == expected
    assert before == HTTP, "the body that is changed stays as it was"


@pytest.mark.parametrize(
    ("spec", "settled"),
    [
        ({"type": "manual"}, {"type": "manual"}),
        ({"type": "cron", "cron": "* * * * *"},
         {"type": "cron", "cron": "* * * * *", "timezone": "UTC"}),
        ({"type": "once"}, {"type": "once", "run_at": NOON}),
        ({"type": "once", "run_at": None}, {"type": "once", "run_at": NOON}),
        ({"type": "once", "run_at": LATER}, {"type": "once", "run_at": LATER}),
        ({"type": "interval", "every_seconds": 5},
         {"type": "interval", "every_seconds": 5, "anchor": NOON}),
        ({"type": "interval", "every_seconds": 5, "anchor": LATER},
         {"type": "interval", "every_seconds": 5, "anchor": LATER}),
    ],
)  # fmt: skip
def test_what_a_schedule_leaves_open_is_settled(
    spec: dict[str, Any], settled: dict[str, Any]
) -> None:
    assert bodies.settled(spec, now=NOON, anchor=None) == settled


def test_an_interval_keeps_the_phase_it_had() -> None:
    spec = {"type": "interval", "every_seconds": 5}
    assert bodies.settled(spec, now=NOON, anchor=LATER)["anchor"] == LATER


def test_a_single_slot_is_first_even_when_it_is_past() -> None:
    assert bodies.first_slot({"type": "once", "run_at": NOON}, LATER) == NOON


def test_a_schedule_without_sense_has_no_first_slot() -> None:
    with pytest.raises(TriggerError):
        bodies.first_slot({"type": "cron", "cron": "x", "timezone": "UTC"}, NOON)


def test_a_version_keeps_its_schedule_as_json() -> None:
    fields = bodies.version_fields({**HTTP, "schedule": {"type": "once", "run_at": NOON}})
    assert fields["schedule"] == {
        "type": "once",
        "run_at": "2027-06-15T12:00:00+00:00",
        "misfire": "latest",
        "overlap": "skip",
    }
    assert fields["priority"] == 2

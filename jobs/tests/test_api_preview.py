"""What an unsaved schedule would do, in any spelling."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from jobs.models import Job, Schedule
from jobs.tests.refusals import refused

if TYPE_CHECKING:
    from rest_framework.test import APIClient

pytestmark = pytest.mark.django_db

PREVIEW = "/api/v1/schedules/preview"


@pytest.mark.parametrize(
    "body",
    [
        {"type": "cron", "cron": "0 9 * * 1", "timezone": "Europe/Berlin"},
        {"cron": "0 9 * * 1", "timezone": "Europe/Berlin"},
        {"type": "CRON", "cronExpr": "0 9 * * 1", "timezone": "Europe/Berlin"},
        {"schedule": {"type": "cron", "cron": "0 9 * * 1", "timezone": "Europe/Berlin"}},
        {"schedule_type": "cron", "cron_expression": "0 9 * * 1", "timezone": "Europe/Berlin"},
        {"cron_expression": "0 9 * * 1", "schedule": {"timezone": "Europe/Berlin"}},
    ],
)
def test_a_schedule_is_previewed_in_any_spelling(api: APIClient, body: dict[str, Any]) -> None:
    shown = api.post(PREVIEW, body | {"count": 2}).json()
    assert shown["next_runs"] == [
        {"at": "2027-06-21T07:00:00Z", "local": "2027-06-21T09:00:00+02:00"},
        {"at": "2027-06-28T07:00:00Z", "local": "2027-06-28T09:00:00+02:00"},
    ]
    assert (shown["dialect"], shown["timezone"]) == ("unix", "Europe/Berlin")
    assert "Monday" in shown["words"]
    assert not Job.objects.exists()
    assert not Schedule.objects.exists()


@pytest.mark.parametrize(
    ("body", "runs", "dialect"),
    [
        ({"type": "DAILY"}, [f"2027-06-{day}T00:00:00Z" for day in range(16, 21)], "unix"),
        ({"schedule": {"cronExpr": "0 0 12 * * ?"}, "count": 1}, ["2027-06-16T12:00:00Z"],
        "quartz"),
        ({"interval_seconds": 90, "count": 2},
         ["2027-06-15T12:01:30Z", "2027-06-15T12:03:00Z"], None),
        ({"every_seconds": 90, "anchor": "2027-06-15T12:01:00Z", "count": 1},
         ["2027-06-15T12:01:00Z"], None),
        ({"run_at": "2027-12-25T10:00:00+01:00"}, ["2027-12-25T09:00:00Z"], None),
        ({"runAt": "2027-12-25T10:00:00Z", "type": "ONCE"}, ["2027-12-25T10:00:00Z"], None),
        ({"type": "manual"}, [], None),
    ],
)  # fmt: skip
def test_the_next_instants_are_told(
    api: APIClient, body: dict[str, Any], runs: list[str], dialect: str | None
) -> None:
    answer = api.post(PREVIEW, body)
    assert answer.status_code == 200, answer.json()
    assert [run["at"] for run in answer.json()["next_runs"]] == runs
    assert answer.json()["dialect"] == dialect


def test_clock_changes_are_told(api: APIClient) -> None:
    body = {"cron": "30 2 * * *", "timezone": "America/New_York", "count": 100}
    shown = api.post(f"{PREVIEW}/", body).json()
    assert len(shown["next_runs"]) == 100
    assert any("2028-03-12" in note for note in shown["notes"])


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({}, "/type", "required"),
        ({"cron": "61 * * * *"}, "/cron", "schedule.cron_invalid"),
        ({"cronExpr": "61 * * * *"}, "/cronExpr", "schedule.cron_invalid"),
        ({"cron_expression": "61 * * * *"}, "/cron_expression", "schedule.cron_invalid"),
        ({"schedule": {"cron": "61 * * * *"}}, "/schedule/cron", "schedule.cron_invalid"),
        ({"schedule": {"cronExpr": "x"}}, "/schedule/cronExpr", "schedule.cron_invalid"),
        ({"cron": "0 0 30 2 *"}, "/cron", "schedule.never_fires"),
        ({"cron": "* * * * *", "timezone": "Mars"}, "/timezone", "schedule.timezone_unknown"),
        ({"type": "HTTP"}, "/type", "invalid_choice"),
        ({"run_at": "2020-01-01T00:00:00Z"}, "/run_at", "schedule.run_at_past"),
        ({"every_seconds": 0}, "/every_seconds", "schedule.interval_invalid"),
        ({"type": "manual", "count": 0}, "/count", "min_value"),
        ({"type": "manual", "count": 101}, "/count", "max_value"),
        ({"type": "manual", "count": "5"}, "/count", "invalid"),
        ({"type": "manual", "colour": 1}, "/colour", "unknown_field"),
        ({"type": "manual", "name": "Report"}, "/name", "unknown_field"),
        ({"cron": "1 * * * *", "cron_expression": "2 * * * *"},
         "/cron_expression", "conflicting_fields"),
        ({"schedule": "daily"}, "/schedule", "invalid"),
        ({"schedule": None}, "/schedule", "null"),
        ([], "", "invalid"),
    ],
)  # fmt: skip
def test_such_a_schedule_has_no_preview(api: APIClient, body: Any, pointer: str, code: str) -> None:
    refused(api.post(PREVIEW, body), pointer, code)


def test_a_preview_takes_no_parameters(api: APIClient) -> None:
    refused(api.post(f"{PREVIEW}?count=3", {"type": "manual"}), "count", "unknown_parameter")

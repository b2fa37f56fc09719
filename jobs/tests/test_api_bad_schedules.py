"""Schedules that make no sense are refused with the place and the reason, and leave no row."""

from __future__ import annotations

from time import thread_time
from typing import TYPE_CHECKING, Any

import pytest

from jobs.tests.calls import JOBS
from jobs.tests.refusals import faults, refused
from tests.factories import NOON, ScheduleFactory

if TYPE_CHECKING:
    from rest_framework.test import APIClient

    from accounts.models import Team

pytestmark = pytest.mark.django_db

CRON = "schedule.cron_invalid"
INTERVAL = "schedule.interval_invalid"
ZONE = "schedule.timezone_unknown"


def post(api: APIClient, **body: Any) -> Any:
    started = thread_time()
    answer = api.post(JOBS, {"name": "Report"} | body)
    assert thread_time() - started < 1
    return answer


@pytest.mark.parametrize(
    "cron",
    ["", " ", "*", "* * * *", "* * * * * * * *", "61 * * * *", "* 24 * * *", "* * 32 * *",
     "* * * 13 *", "* * * * 8", "*/0 * * * *", "5-1 * * * *", "1,,2 * * * *", ",1 * * * *",
     "-1 * * * *", "1- * * * *", "1.5 * * * *", "a * * * *", "@never", "@reboot", "* * * * *;ls",
     "\u0660 * * * *", "\uff10 * * * *", "* * * * *\n* * * * *", "0 0 0 * * ? 1", "* " * 5000,
     "0," * 5000 + "0 * * * *", "💥 * * * *", "{{7*7}} * * * *", "${x} * * * *"],
)  # fmt: skip
def test_such_a_cron_expression_is_refused(api: APIClient, cron: str) -> None:
    refused(post(api, cron_expression=cron), "/cron_expression", _code(cron))


def _code(cron: str) -> str:
    return "blank" if cron == "" else CRON


@pytest.mark.parametrize(
    "cron", ["0 0 30 2 *", "0 0 31 4,6,9,11 *", "0 0 0 30 2 ?", "0 0 0 1 1 ? 1999"]
)
def test_an_expression_that_never_fires_is_refused(api: APIClient, cron: str) -> None:
    (code,) = faults(post(api, schedule={"type": "cron", "cron": cron})).values()
    assert code in ("schedule.never_fires", CRON)
    refused(post(api, schedule={"type": "cron", "cron": cron}), "/schedule/cron", code)


@pytest.mark.parametrize("cron", [None, 5, 1.5, True, ["* * * * *"], {"minute": 0}])
def test_a_cron_expression_is_text(api: APIClient, cron: Any) -> None:
    code = "null" if cron is None else "invalid"
    refused(post(api, schedule={"type": "CRON", "cronExpr": cron}), "/schedule/cronExpr", code)


@pytest.mark.parametrize(
    ("seconds", "code"),
    [(0, INTERVAL), (-1, INTERVAL), (-(2**62), INTERVAL), (2**31, INTERVAL), (2**62, INTERVAL),
     (10**9, INTERVAL), (1e308, INTERVAL), (0.5, "invalid"), (1.5, "invalid"), (1e-9, "invalid"),
     ("60", "invalid"), ("", "invalid"), ("NaN", "invalid"), ("1e3", "invalid"),
     ("\uff16\uff10", "invalid"), (True, "invalid"), (None, "null"), ([60], "invalid"),
     ({"n": 60}, "invalid")],
)  # fmt: skip
def test_such_an_interval_is_refused(api: APIClient, seconds: Any, code: str) -> None:
    body = {"schedule_type": "interval", "interval_seconds": seconds}
    refused(post(api, **body), "/interval_seconds", code)
    schedule = {"type": "interval", "every_seconds": seconds}
    refused(post(api, schedule=schedule), "/schedule/every_seconds", code)


@pytest.mark.parametrize(
    "zone",
    ["Mars/Olympus", "europe/berlin", "EUROPE/BERLIN", "utc", "Berlin", "+02:00", "UTC+2", "GMT+25",
     "../../etc/passwd", "/etc/localtime", "Europe/../Europe/Berlin", "localtime", "posixrules",
     "Factory", "Europe/Berlin ", " UTC", "Europe\\Berlin", "\u0415urope/Berlin", "x" * 10_000,
     "posix/UTC", "right/UTC", "tzdata.zi", "{{zone}}"],
)  # fmt: skip
def test_such_a_zone_is_refused(api: APIClient, zone: str) -> None:
    for schedule in (
        {"type": "cron", "cron": "0 9 * * *"},
        {"type": "interval", "every_seconds": 60},
        {"type": "manual"},
    ):
        refused(post(api, schedule=schedule | {"timezone": zone}), "/schedule/timezone", ZONE)


@pytest.mark.parametrize(
    ("zone", "code"),
    [("", "blank"), (None, "null"), (2, "invalid"), (True, "invalid"), (["UTC"], "invalid")],
)
def test_a_zone_is_a_name(api: APIClient, zone: Any, code: str) -> None:
    schedule = {"type": "cron", "cron": "0 9 * * *", "timezone": zone}
    refused(post(api, schedule=schedule), "/schedule/timezone", code)


PAST, BROKEN, UNUSABLE = "schedule.run_at_past", "instant_invalid", "schedule.instant_invalid"


@pytest.mark.parametrize(
    ("run_at", "code"),
    [
        ("2027-06-15T11:58:59Z", PAST),
        ("2020-02-29T00:00:00Z", PAST),
        ("1970-01-01T00:00:00Z", PAST),
        ("1969-12-31T23:59:59Z", UNUSABLE),
        ("0001-01-01T00:00:00Z", UNUSABLE),
        ("0001-01-01T00:00:00+23:59", BROKEN),
        ("9999-12-31T23:59:59Z", UNUSABLE),
        ("9999-12-31T23:59:59-23:59", BROKEN),
        ("10000-01-01T00:00:00Z", BROKEN),
        ("2027-02-30T10:00:00Z", BROKEN),
        ("2027-02-29T10:00:00Z", BROKEN),
        ("2027-13-01T10:00:00Z", BROKEN),
        ("2027-12-25T24:00:00Z", BROKEN),
        ("2027-12-25T10:60:00Z", BROKEN),
        ("2027-12-31T23:59:60Z", BROKEN),
        ("2027-12-25T10:00:00", BROKEN),
        ("2027-12-25", BROKEN),
        ("10:00", BROKEN),
        ("2027-12-25T10:00:00+99:99", BROKEN),
        ("2027-12-25T10:00:00+24:00", BROKEN),
        ("2027-12-25T10:00:00 UTC", BROKEN),
        ("2027-12-25T10:00:00Europe/Berlin", BROKEN),
        ("\u0662\u0660\u0662\u0667-12-25T10:00:00Z", BROKEN),
        ("2027-12-25T10:00:00Z\n", BROKEN),
        ("tomorrow", BROKEN),
        ("", BROKEN),
        (" " * 100_000, BROKEN),
        (1_829_728_800, BROKEN),
        (1e308, BROKEN),
        (True, BROKEN),
        (["2027-12-25T10:00:00Z"], BROKEN),
        ({"year": 2027}, BROKEN),
    ],
)
def test_such_an_instant_is_refused(api: APIClient, run_at: Any, code: str) -> None:
    refused(post(api, scheduled_at=run_at), "/scheduled_at", code)
    schedule = {"type": "ONCE", "runAt": run_at}
    refused(post(api, schedule=schedule), "/schedule/runAt", code)


@pytest.mark.parametrize(
    ("schedule", "pointer", "code"),
    [
        ({}, "/schedule/type", "required"),
        ({"type": "cron"}, "/schedule/cron", "required"),
        ({"type": "interval"}, "/schedule/every_seconds", "required"),
        ({"type": "yearling"}, "/schedule/type", "invalid_choice"),
        ({"type": ""}, "/schedule/type", "invalid_choice"),
        ({"type": None}, "/schedule/type", "null"),
        ({"type": 1}, "/schedule/type", "invalid_choice"),
        ({"type": ["cron"]}, "/schedule/type", "invalid_choice"),
        ({"type": {"cron": 1}}, "/schedule/type", "invalid_choice"),
        ({"type": "x" * 100_000}, "/schedule/type", "invalid_choice"),
        ({"type": "once", "cron": "* * * * *"}, "/schedule/cron", "schedule.field_misplaced"),
        ({"type": "manual", "run_at": None}, "/schedule/run_at", "schedule.field_misplaced"),
        ({"type": "cron", "cron": "* * * * *", "anchor": "2027-01-01T00:00:00Z"},
         "/schedule/anchor", "schedule.field_misplaced"),
        ({"type": "interval", "every_seconds": 60, "anchor": "0001-01-01T00:00:00Z"},
         "/schedule/anchor", "schedule.instant_invalid"),
        ({"type": "interval", "every_seconds": 60, "anchor": "9999-12-31T00:00:00Z"},
         "/schedule/anchor", "schedule.instant_invalid"),
        ({"type": "interval", "every_seconds": 60, "anchor": "2027-01-01"},
         "/schedule/anchor", "instant_invalid"),
        ({"type": "cron", "cron": "* * * * *", "colour": 1}, "/schedule/colour", "unknown_field"),
        ({"cron": "* * * * *", "every_seconds": 5}, "/schedule/type", "required"),
        (None, "/schedule", "null"),
        ("daily", "/schedule", "invalid"),
        (["daily"], "/schedule", "invalid"),
        (5, "/schedule", "invalid"),
    ],
)  # fmt: skip
def test_such_a_schedule_is_refused(api: APIClient, schedule: Any, pointer: str, code: str) -> None:
    refused(post(api, schedule=schedule), pointer, code)


def test_two_fields_that_contradict_each_other_are_both_named(api: APIClient) -> None:
    body = {"cron_expression": "1 * * * *", "schedule": {"cron": "2 * * * *"}}
    answer = post(api, **body)
    refused(answer, "/schedule/cron", "conflicting_fields")
    assert "cron_expression" in answer.json()["errors"][0]["detail"]


def test_a_job_type_is_held_against_the_schedule(api: APIClient) -> None:
    body = {"job_type": "one_time", "schedule_type": "cron", "cron_expression": "* * * * *"}
    refused(post(api, **body), "/schedule_type", "conflicting_fields")
    refused(post(api, job_type="recurring"), "/schedule_type", "required")


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({"cron_expression": "61 * * * *"}, "/cron_expression", CRON),
        ({"interval_seconds": 0}, "/interval_seconds", INTERVAL),
        ({"schedule": {"timezone": "Mars"}}, "/schedule/timezone", ZONE),
        ({"run_at": "2020-01-01T00:00:00Z"}, "/run_at", PAST),
    ],
)  # fmt: skip
@pytest.mark.parametrize("method", ["patch", "put"])
def test_a_change_is_checked_like_a_create(
    api: APIClient, team: Team, method: str, body: dict[str, Any], pointer: str, code: str
) -> None:
    schedule = ScheduleFactory.create(job__team=team, next_fire_at=NOON)
    named = body if method == "patch" else body | {"name": "Report"}
    if method == "put" and body == {"schedule": {"timezone": "Mars"}}:
        pointer, code = "/schedule/type", "required"  # nothing to lay it over
    answer = getattr(api, method)(f"{JOBS}/{schedule.job.slug}", named)
    assert faults(answer) == {pointer: code}
    schedule.refresh_from_db()
    assert (schedule.type, schedule.next_fire_at) == ("interval", NOON)
    assert schedule.job.versions.count() == 1

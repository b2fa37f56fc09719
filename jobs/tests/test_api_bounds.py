"""Bounds, jitter and modes of schedules over the API: taken, shown, kept, refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from jobs.models import Job, JobVersion, Schedule
from jobs.tests.calls import JOBS, change, create
from jobs.tests.refusals import faults, refused
from tests.factories import NOON

if TYPE_CHECKING:
    from rest_framework.test import APIClient

pytestmark = pytest.mark.django_db

MISPLACED = "schedule.field_misplaced"
BOUNDS = {
    "jitter_seconds": 30.5,
    "starts_at": "2027-07-01T00:00:00Z",
    "ends_at": "2027-08-01T00:00:00Z",
    "max_executions": 10,
}
CRON = {"type": "cron", "cron": "0 9 * * *", "timezone": "Europe/Berlin"}
EVERY = {"type": "interval", "every_seconds": 600}


def test_whatever_is_said_comes_back_and_goes_in_again(api: APIClient) -> None:
    for name, rule in (("Daily", CRON), ("Often", EVERY | {"anchor": "2027-01-01T00:00:00Z"})):
        made = create(api, name=name, schedule=rule | BOUNDS)

        assert made["schedule"] == rule | BOUNDS
        again = change(api, {"schedule": made["schedule"]}, slug=made["slug"])
        assert (again["schedule"], again["version"]) == (rule | BOUNDS, 1)


def test_what_goes_without_saying_is_not_said(api: APIClient) -> None:
    silence = {"jitter_seconds": 0, "starts_at": None, "ends_at": None, "max_executions": None}

    made = create(api, schedule=EVERY | silence | {"mode": "fixed_rate"})

    assert made["schedule"] == EVERY | {"anchor": "2027-06-15T12:00:00Z"}


def test_a_change_keeps_bounds_and_null_takes_one_away(api: APIClient) -> None:
    create(api, schedule=CRON | BOUNDS)

    after = change(api, {"schedule": {"cron": "0 10 * * *", "ends_at": None}})["schedule"]

    kept = {name: value for name, value in BOUNDS.items() if name != "ends_at"}
    assert after == CRON | kept | {"cron": "0 10 * * *"}
    after = change(api, {"schedule": EVERY})["schedule"]
    assert after == EVERY | {"anchor": "2027-06-15T12:00:00Z"}, "of another type nothing is kept"


def test_bounds_decide_when_a_job_runs(api: APIClient) -> None:
    bounds = {"starts_at": "2027-07-01T00:00:00Z", "ends_at": "2027-07-03T09:00:00Z"}

    made = create(api, schedule=CRON | bounds)

    runs = ["2027-07-01T07:00:00Z", "2027-07-02T07:00:00Z", "2027-07-03T07:00:00Z"]
    assert (made["next_run_at"], made["next_runs"]) == (runs[0], runs)
    shown = api.get(f"{JOBS}/report/next-runs").json()
    assert [run["at"] for run in shown["next_runs"]] == runs


def test_an_interval_that_starts_later_counts_from_its_start(api: APIClient) -> None:
    made = create(api, schedule=EVERY | {"starts_at": "2027-07-01T00:03:00Z"})

    assert made["schedule"]["anchor"] == made["next_run_at"] == "2027-07-01T00:03:00Z"


def test_a_new_start_keeps_the_phase(api: APIClient) -> None:
    create(api, schedule=EVERY)

    after = change(api, {"schedule": {"starts_at": "2027-07-01T00:03:00Z"}})

    assert after["next_run_at"] == "2027-07-01T00:10:00Z"


def test_only_so_many_runs_are_told(api: APIClient) -> None:
    assert len(create(api, schedule=EVERY | {"max_executions": 2})["next_runs"]) == 2

    Schedule.objects.update(fired=1)
    assert len(api.get(f"{JOBS}/report/next-runs").json()["next_runs"]) == 1


def test_a_fixed_delay_has_no_anchor_and_one_known_run(api: APIClient) -> None:
    made = create(api, schedule=EVERY | {"mode": "fixed_delay"})

    assert made["schedule"] == EVERY | {"mode": "fixed_delay"}
    assert made["next_runs"] == ["2027-06-15T12:10:00Z"]
    shown = api.get(f"{JOBS}/report/next-runs").json()
    assert shown["words"] == "10 minutes after the end of the execution before"
    assert len(shown["next_runs"]) == len(shown["notes"]) == 1


def test_the_mode_of_an_interval_changes_both_ways(api: APIClient) -> None:
    create(api, schedule=EVERY)

    assert change(api, {"schedule": {"mode": "fixed_delay"}})["schedule"] == EVERY | {
        "mode": "fixed_delay"
    }
    assert change(api, {"schedule": {"mode": "fixed_rate"}})["schedule"] == EVERY | {
        "anchor": "2027-06-15T12:00:00Z"
    }


def test_a_job_always_starts_as_long_after_its_slots(api: APIClient) -> None:
    create(api, schedule=EVERY | {"jitter_seconds": 300})
    schedule = Job.objects.get().schedule

    first, again = schedule.jitter, Schedule.objects.get().jitter
    assert first == again
    assert 0 <= first.total_seconds() < 300
    assert schedule.next_fire_at == NOON + schedule.trigger.every, "the slot stays where it is"  # type: ignore[attr-defined]
    (note,) = api.get(f"{JOBS}/report/next-runs").json()["notes"]
    assert note == f"This job starts {first.total_seconds():.1f} s after each slot."


def test_a_version_remembers_bounds(api: APIClient) -> None:
    create(api, schedule=CRON | BOUNDS)

    stored = JobVersion.objects.get().schedule
    assert (stored["max_executions"], stored["jitter_seconds"]) == (10, 30.5)
    assert stored["ends_at"] == "2027-08-01T00:00:00+00:00"


@pytest.mark.parametrize(
    ("schedule", "pointer", "code"),
    [
        (EVERY | {"jitter_seconds": -1}, "jitter_seconds", "min_value"),
        (EVERY | {"jitter_seconds": 86_401}, "jitter_seconds", "max_value"),
        (EVERY | {"jitter_seconds": "5"}, "jitter_seconds", "invalid"),
        (EVERY | {"jitter_seconds": None}, "jitter_seconds", "null"),
        (EVERY | {"jitter_seconds": 600}, "jitter_seconds", "schedule.jitter_too_long"),
        (CRON | {"jitter_seconds": 86_400}, "jitter_seconds", "schedule.jitter_too_long"),
        ({"type": "cron", "cron": "0,5 9 * * *", "jitter_seconds": 300}, "jitter_seconds",
         "schedule.jitter_too_long"),
        (EVERY | {"max_executions": 0}, "max_executions", "min_value"),
        (EVERY | {"max_executions": 1.5}, "max_executions", "invalid"),
        (EVERY | {"max_executions": 2**31}, "max_executions", "max_value"),
        (EVERY | {"starts_at": "tomorrow"}, "starts_at", "instant_invalid"),
        (EVERY | {"starts_at": "0001-01-01T00:00:00Z"}, "starts_at", "schedule.instant_invalid"),
        (EVERY | {"ends_at": "2027-06-15T11:00:00Z"}, "ends_at", "schedule.ends_at_past"),
        (CRON | {"ends_at": "2027-06-15T12:00:01Z"}, "ends_at", "schedule.never_fires"),
        (CRON | {"starts_at": "2027-08-01T00:00:00Z", "ends_at": "2027-08-01T00:00:00Z"},
         "ends_at", "schedule.bounds_crossed"),
        (CRON | {"starts_at": "2027-08-01T00:00:00Z", "ends_at": "2027-08-01T06:59:00Z"},
         "ends_at", "schedule.never_fires"),
        (EVERY | {"mode": "sometimes"}, "mode", "invalid_choice"),
        (EVERY | {"mode": "fixed_delay", "anchor": "2027-06-15T11:00:00Z"}, "anchor", MISPLACED),
        (CRON | {"mode": "fixed_delay"}, "mode", MISPLACED),
        ({"type": "manual", "max_executions": 3}, "max_executions", MISPLACED),
        ({"type": "manual", "jitter_seconds": 3}, "jitter_seconds", MISPLACED),
        ({"type": "once", "ends_at": "2027-08-01T00:00:00Z"}, "ends_at", MISPLACED),
        ({"type": "once", "max_executions": 1}, "max_executions", MISPLACED),
    ],
)  # fmt: skip
def test_such_a_schedule_is_refused(
    api: APIClient, schedule: dict[str, Any], pointer: str, code: str
) -> None:
    answer = api.post(JOBS, {"name": "Report", "schedule": schedule})
    refused(answer, f"/schedule/{pointer}", code)
    bare = api.post("/api/v1/schedules/preview", schedule)
    assert faults(bare) == {f"/{pointer}": code}


def test_a_schedule_that_has_ended_can_stay_but_not_be_changed(api: APIClient) -> None:
    create(api, schedule=CRON | {"ends_at": "2027-06-20T00:00:00Z"})
    Schedule.objects.update(ends_at=NOON)

    assert api.patch(f"{JOBS}/report", {"description": "over"}).status_code == 200
    shown = api.get(f"{JOBS}/report").json()["schedule"]
    assert api.patch(f"{JOBS}/report", {"schedule": shown}).status_code == 200
    answer = api.patch(f"{JOBS}/report", {"schedule": {"cron": "0 8 * * *"}})
    assert faults(answer) == {"/schedule/ends_at": "schedule.never_fires"}


@pytest.mark.parametrize(
    ("schedule", "words"),
    [
        (CRON | {"starts_at": "2027-07-01T00:00:00Z"},
         "At 09:00 every day, from 2027-07-01 00:00:00 UTC on"),
        (CRON | {"ends_at": "2027-08-01T00:00:00Z"},
         "At 09:00 every day, before 2027-08-01 00:00:00 UTC"),
        (EVERY | {"max_executions": 3, "jitter_seconds": 30.5},
         "Every 10 minutes, 3 times in all, spread over 30.5 seconds"),
        (EVERY | {"max_executions": 1}, "Every 10 minutes, once in all"),
        (EVERY | {"jitter_seconds": 60}, "Every 10 minutes, spread over 1 minute"),
    ],
)  # fmt: skip
def test_a_preview_says_the_bounds(api: APIClient, schedule: dict[str, Any], words: str) -> None:
    shown = api.post("/api/v1/schedules/preview", schedule).json()

    assert shown["words"] == words
    assert len(shown["next_runs"]) == min(5, schedule.get("max_executions", 5))

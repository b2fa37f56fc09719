"""What a job did at an instant, or will do; and why it did nothing."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from executions.explain import Answer, explain_instant
from executions.explain.instants import Near
from executions.models import Beat, Execution, Origin, Status, Worker
from executions.stats import first_id
from jobs.models import Job, JobVersion, Schedule
from jobs.triggers.base import FIRST, HORIZON
from tests.factories import NOON, ExecutionFactory, JobFactory, QueueFactory

pytestmark = pytest.mark.django_db

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
HOURLY = {"type": "interval", "every_seconds": 3600, "anchor": NOON.isoformat()}
PROCESS = {"pid": 1, "version": "1", "started_at": NOON, "heartbeat_at": NOON}


def hourly(**fields: Any) -> Job:
    """A job since two hours before NOON that is due at every hour; NOON's slot is not taken."""
    known: dict[str, Any] = {
        "created_at": NOON - 2 * HOUR,
        "version__schedule": HOURLY,
        "version__created_at": NOON - 2 * HOUR,
        "schedule__type": "interval",
        "schedule__every_seconds": 3600,
        "schedule__anchor": NOON,
        "schedule__next_fire_at": NOON,
    }
    job: Job = JobFactory.create(**known | fields)
    return job


def slot(job: Job, at: datetime, **fields: Any) -> Execution:
    known = {"job": job, "schedule": job.schedule, "scheduled_for": at, "due_at": at}
    execution: Execution = ExecutionFactory.create(**known, origin=Origin.SCHEDULE, **fields)
    return execution


def answer(job: Job, at: datetime, *, now: datetime = NOON + MINUTE) -> Answer:
    return explain_instant(Job.objects.get(pk=job.pk), at=at, now=now)


def test_a_slot_with_an_execution_is_explained_by_it() -> None:
    job = hourly()
    row = slot(job, NOON, status=Status.SUCCEEDED, attempt=1)

    found = answer(job, NOON)

    assert found.is_slot
    assert found.explanation is not None
    assert found.explanation.execution == row
    assert found.summary == (
        "The slot has its execution. It succeeded with attempt 1 at 2027-06-15 12:00:00 UTC."
    )


def test_a_slot_that_was_skipped_says_why() -> None:
    job = hourly()
    slot(job, NOON, status=Status.SKIPPED, reason="overlap")

    assert answer(job, NOON).what_happened.code == "overlap"


def test_a_slot_inside_of_a_skipped_stretch_is_found() -> None:
    job = hourly()
    detail = {"first": NOON.isoformat(), "last": (NOON + 9 * HOUR).isoformat(), "count": 10}
    slot(job, NOON, status=Status.SKIPPED, reason="misfire", result=detail)

    found = answer(job, NOON + 3 * HOUR, now=NOON + 20 * HOUR)

    assert found.skipped == {"first": NOON, "last": NOON + 9 * HOUR, "count": 10}
    assert found.summary == (
        "It is one of 10 slots, 2027-06-15 12:00:00 UTC to 2027-06-15 21:00:00 UTC, that did not"
        " run. It was noticed too late, and the misfire policy lets late slots go."
    )
    assert answer(job, NOON + 10 * HOUR, now=NOON + 20 * HOUR).skipped is None
    assert answer(job, NOON + MINUTE, now=NOON + 20 * HOUR).what_happened.code == "no_slot"


def test_between_two_slots_the_nearest_are_named() -> None:
    job = hourly()
    row = slot(job, NOON, status=Status.SUCCEEDED)

    found = answer(job, NOON + 10 * MINUTE, now=NOON + HOUR)

    assert found.what_happened.sentence == (
        "The schedule (Every hour) names no slot at this instant."
    )
    assert found.before is not None
    assert (found.before.at, found.before.execution) == (NOON, row)
    assert found.after is not None
    assert (found.after.at, found.after.execution) == (NOON + HOUR, None)


def test_before_the_job_there_was_nothing() -> None:
    found = answer(hourly(), NOON - 3 * HOUR)

    assert found.what_happened.code == "before_job"
    assert found.before is None


def test_a_due_slot_that_no_scheduler_has_taken() -> None:
    assert answer(hourly(), NOON).what_happened.code == "not_taken"


def test_a_past_slot_that_nothing_is_recorded_of() -> None:
    job = hourly(schedule__next_fire_at=NOON + HOUR)

    assert answer(job, NOON).what_happened.code == "not_recorded"


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"paused_at": NOON - HOUR, "paused_reason": "too loud"}, "job_paused"),
        ({"archived_at": NOON - HOUR}, "job_is_archived"),
        ({"schedule__enabled": False, "schedule__disabled_reason": "no zone"}, "set_aside"),
        ({"schedule__starts_at": NOON + 2 * HOUR}, "not_begun"),
        ({"schedule__ends_at": NOON}, "over"),
        (
            {
                "schedule__max_executions": 3,
                "schedule__fired": 3,
                "schedule__last_fired_at": NOON - HOUR,
            },
            "used_up",
        ),
        ({"paused_at": NOON + 2 * HOUR}, "will_fire"),
        ({"paused_at": NOON - HOUR, "paused_until": NOON}, "will_fire"),
        ({}, "will_fire"),
    ],
)
def test_what_the_job_and_its_schedule_do_to_a_coming_slot(
    fields: dict[str, Any], code: str
) -> None:
    assert answer(hourly(**fields), NOON + HOUR).what_happened.code == code


def test_a_coming_slot_says_what_could_stop_it() -> None:
    job = hourly(version__queue="mail", version__start_deadline_seconds=90)
    QueueFactory.create(name="mail", paused_at=NOON, paused_reason="provider is down")

    found = answer(job, NOON + HOUR)

    assert found.summary == "The slot is in the future: it fires at 2027-06-15 13:00:00 UTC."
    assert [said.code for said in found.what_could_stop_it] == [
        *("queue_paused", "no_scheduler", "no_worker"),
        *("could_overlap", "could_expire", "could_change"),
    ]


def test_what_is_well_stops_nothing() -> None:
    job = hourly(schedule__overlap="allow")
    Beat.objects.create(name="b", **PROCESS)
    Worker.objects.create(name="w", fleet="io", slots=1, **PROCESS)

    found = answer(job, NOON + HOUR, now=NOON + SECOND)

    assert [said.code for said in found.what_could_stop_it] == ["could_change"]


def test_the_schedule_of_then_counts() -> None:
    job = hourly()
    slot(job, NOON, status=Status.SUCCEEDED)
    daily = {"type": "cron", "cron": "30 6 * * *", "timezone": "UTC"}
    job.current = JobVersion.objects.create(
        job=job, number=2, kind="noop", schedule=daily, created_at=NOON + MINUTE
    )
    job.save()
    Schedule.objects.filter(job=job).update(type="cron", cron="30 6 * * *")

    found = answer(job, NOON, now=NOON + HOUR)

    assert found.version.number == 1
    assert found.is_slot
    assert "The schedule was another one then: Every hour (version 1)." in found.summary
    assert answer(job, NOON + HOUR).version.number == 2


def test_a_job_without_a_schedule_names_the_starts_beside_the_instant() -> None:
    job = JobFactory.create(created_at=NOON - HOUR)
    before = ExecutionFactory.create(job=job, id=first_id(NOON - MINUTE))
    after = ExecutionFactory.create(job=job, id=first_id(NOON + MINUTE))

    found = answer(job, NOON)

    assert found.what_happened.code == "by_hand"
    assert found.before is not None
    assert found.after is not None
    assert (found.before.execution, found.after.execution) == (before, after)


def test_slots_that_count_from_an_end_are_told_as_far_as_they_are_known() -> None:
    delay = {"type": "interval", "every_seconds": 60, "mode": "fixed_delay"}
    job = hourly(version__schedule=delay, schedule__next_fire_at=NOON + HOUR)
    row = slot(job, NOON, status=Status.SUCCEEDED)

    found = answer(job, NOON + MINUTE)

    assert found.what_happened.code == "no_slot"
    assert (found.before, found.after) == (Near(NOON, row), Near(NOON + HOUR, None))
    assert answer(job, NOON).what_happened.code == "executed"
    assert answer(job, NOON + HOUR).what_happened.code == "will_fire"


@pytest.mark.parametrize("at", [FIRST, HORIZON - SECOND])
@pytest.mark.parametrize(
    "schedule",
    [
        HOURLY,
        {"type": "cron", "cron": "0 0 29 2 *", "timezone": "Europe/Berlin"},
        {"type": "interval", "every_seconds": 60, "mode": "fixed_delay"},
        {"type": "once", "run_at": NOON.isoformat()},
        {"type": "manual"},
        {"type": "cron", "cron": "not one"},
        {"type": "once", "run_at": "yesterday"},
        {"type": "sometimes"},
        {},
    ],
)
def test_every_schedule_has_an_answer_at_the_ends_of_time(
    at: datetime, schedule: dict[str, Any]
) -> None:
    job = hourly(version__schedule=schedule)

    assert answer(job, at).summary


def test_it_costs_a_bounded_number_of_queries(django_assert_max_num_queries: Any) -> None:
    job = hourly()
    for n in range(5):
        slot(job, NOON + n * HOUR, status=Status.SUCCEEDED)
    row = Job.objects.described().get(pk=job.pk)

    with django_assert_max_num_queries(7):
        explain_instant(row, at=NOON, now=NOON + 6 * HOUR)
    with django_assert_max_num_queries(7):
        explain_instant(row, at=NOON + 9 * HOUR, now=NOON + 6 * HOUR)

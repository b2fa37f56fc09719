"""The audit finds what is lost and what is doubled, in tables that were broken on purpose."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection, transaction

from executions import scheduler
from executions.maintenance import audit_slots
from executions.models import AuditFinding, Execution, Status
from jobs import definitions
from jobs.models import Schedule
from jobs.policies import Misfire
from tests.factories import NOON, ScheduleFactory

if TYPE_CHECKING:
    from datetime import datetime

pytestmark = pytest.mark.django_db

MINUTE = timedelta(minutes=1)
LATER = NOON + 10 * MINUTE
HOURLY = {"type": "interval", "every_seconds": 3600}


def fired(until: datetime = LATER, **fields: Any) -> Schedule:
    """A schedule that has fired each minute since NOON."""
    schedule = ScheduleFactory.create(**{"misfire": Misfire.ALL} | fields)
    while scheduler.fire_due(until):
        pass
    schedule.refresh_from_db()
    return schedule


def findings() -> list[tuple[str, int | None, int | None]]:
    return list(AuditFinding.objects.values_list("what", "expected", "found"))


@pytest.mark.parametrize("misfire", Misfire)
@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"max_executions": 2},
        {"ends_at": NOON + 4 * MINUTE},
        {"type": "once", "run_at": NOON},
        {"type": "cron", "cron": "*/3 * * * *", "timezone": "Europe/Berlin"},
        {"mode": "fixed_delay"},
        {"catch_up_max": 3},
    ],
    ids=["interval", "max", "ends_at", "once", "cron", "fixed_delay", "cap"],
)
def test_what_was_fired_adds_up(misfire: Misfire, fields: dict[str, Any]) -> None:
    schedule = fired(misfire=misfire, **fields)

    assert audit_slots(LATER) == 1

    schedule.refresh_from_db()
    assert findings() == []
    assert schedule.audited_until == schedule.next_fire_at
    assert audit_slots(LATER) == 0


def test_an_audit_goes_on_where_the_last_one_ended() -> None:
    fired()
    audit_slots(LATER)
    Execution.objects.all().delete()
    scheduler.fire_due(LATER + MINUTE)

    assert audit_slots(LATER + MINUTE) == 1
    assert findings() == []


def test_a_schedule_that_has_not_fired_has_nothing_to_audit() -> None:
    ScheduleFactory.create(next_fire_at=LATER)

    assert audit_slots(LATER) == 0


def test_a_lost_slot_is_found() -> None:
    schedule = fired()
    Execution.objects.filter(scheduled_for=NOON + 3 * MINUTE).delete()

    audit_slots(LATER)

    found = AuditFinding.objects.get()
    assert (found.what, found.schedule, found.expected, found.found) == (
        "slot_lost",
        schedule.pk,
        11,
        10,
    )
    assert (found.since, found.until) == (NOON, LATER + MINUTE)
    assert "Of 11 slots from 2027-06-15 12:00:00" in found.message


def test_a_lost_stretch_is_found() -> None:
    fired(misfire=Misfire.LATEST)
    Execution.objects.filter(status=Status.SKIPPED).delete()

    audit_slots(LATER)

    assert findings() == [("slot_lost", 11, 1)]


def test_the_lost_end_of_a_schedule_that_has_ended_is_found() -> None:
    fired(max_executions=3)
    Execution.objects.filter(status=Status.SKIPPED).delete()

    audit_slots(LATER)

    assert findings() == [("slot_lost", 11, 3)]


def test_a_cursor_that_jumped_over_a_slot_is_found() -> None:
    schedule = fired()
    audit_slots(LATER)
    Schedule.objects.filter(pk=schedule.pk).update(next_fire_at=LATER + 2 * MINUTE)

    audit_slots(LATER + MINUTE)

    assert findings() == [("slot_lost", 1, 0)]


def test_a_slot_that_ran_twice_is_found_even_if_another_is_lost() -> None:
    fired()
    connection.check_constraints()  # else they are pending
    with connection.cursor() as cursor:
        cursor.execute("DROP INDEX one_execution_per_slot")
    lost = Execution.objects.get(scheduled_for=NOON)
    Execution.objects.filter(pk=lost.pk).update(scheduled_for=LATER)

    audit_slots(LATER)

    assert sorted(findings()) == [("slot_doubled", 11, 11), ("slot_lost", 11, 11)]


def test_an_execution_for_a_slot_that_was_skipped_is_found() -> None:
    fired(misfire=Misfire.LATEST)
    Execution.objects.filter(status=Status.SCHEDULED).update(scheduled_for=NOON + MINUTE)

    audit_slots(LATER)

    assert ("slot_doubled", 11, 11) in findings()


def test_an_execution_that_no_slot_asked_for_is_found() -> None:
    fired()
    row = Execution.objects.get(scheduled_for=NOON)
    row.pk, row.scheduled_for = None, NOON + timedelta(seconds=1)
    row.pk = Execution(job=row.job).pk
    row.save(force_insert=True)

    audit_slots(LATER)

    assert findings() == [("slot_doubled", 11, 12)]


def test_slots_before_an_edit_are_audited_by_the_trigger_that_they_had() -> None:
    schedule = fired()
    Execution.objects.filter(scheduled_for=NOON).delete()

    definitions.change(schedule.job, {"schedule": HOURLY}, actor=None, now=LATER + MINUTE)
    assert findings() == [("slot_lost", 12, 11)]

    scheduler.fire_due(LATER + timedelta(hours=2))
    audit_slots(LATER + timedelta(hours=2))
    assert len(findings()) == 1


@pytest.mark.parametrize("missed", ["skip", "latest", "all"])
def test_a_pause_adds_up_too(missed: definitions.Missed) -> None:
    schedule = fired(NOON, misfire=Misfire.SKIP)
    definitions.pause(schedule.job, now=NOON, actor=None)
    definitions.resume(schedule.job, now=LATER, actor=None, missed=missed)
    later = LATER + timedelta(hours=1)
    while scheduler.fire_due(later):
        pass

    assert audit_slots(later) == 1
    assert findings() == []


def test_a_schedule_that_can_no_longer_be_counted_stops_nobody() -> None:
    broken = fired()
    fired(next_fire_at=NOON + MINUTE)
    Schedule.objects.filter(pk=broken.pk).update(type="cron", cron="nonsense")

    assert audit_slots(LATER) == 2
    assert audit_slots(LATER) == 0
    assert findings() == []


@pytest.mark.django_db(transaction=True)
def test_a_schedule_that_a_beat_holds_is_left_to_the_next_audit() -> None:
    held = fired()
    fired()

    def audit() -> int:
        try:
            return audit_slots(LATER)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool, transaction.atomic():
        Schedule.objects.filter(pk=held.pk).lock_free(1).get()
        assert pool.submit(audit).result(timeout=10) == 1

    assert audit_slots(LATER) == 1
    assert findings() == []

"""When a row of django-celery-beat is due."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from celery.exceptions import ImproperlyConfigured
from django_celery_beat.models import (
    ClockedSchedule,
    CrontabSchedule,
    IntervalSchedule,
    PeriodicTask,
    SolarSchedule,
)

from executions.periodic_slots import LATE, SlotError, first_slot, following_slot
from tests.factories import NOON

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)


def every(number: int, period: str = "minutes", **fields: Any) -> PeriodicTask:
    return PeriodicTask(interval=IntervalSchedule(every=number, period=period), **fields)


def cron(text: str, zone: str = "UTC", **fields: Any) -> PeriodicTask:
    names = ["minute", "hour", "day_of_month", "month_of_year", "day_of_week"]
    said = dict(zip(names, text.split(), strict=True))
    return PeriodicTask(crontab=CrontabSchedule(timezone=ZoneInfo(zone), **said), **fields)


def clocked(instant: datetime) -> PeriodicTask:
    return PeriodicTask(clocked=ClockedSchedule(clocked_time=instant), one_off=True)


def slots(row: PeriodicTask, after: datetime, number: int) -> list[str]:
    """The first slots after ``after``, each noticed at once."""
    found: list[str] = []
    slot = first_slot(row, after)
    while slot and len(found) < number:
        found.append(slot.isoformat()[5:16])
        slot = following_slot(row, slot, slot)
    return found


def test_an_interval_begins_one_interval_later_and_keeps_its_phase() -> None:
    row = every(5)
    first = first_slot(row, NOON)

    assert first == NOON + 5 * MINUTE
    assert following_slot(row, first, first + 50 * SECOND) == NOON + 10 * MINUTE


def test_a_start_is_the_first_slot_and_the_phase_of_an_interval() -> None:
    start = NOON + timedelta(hours=3)

    assert first_slot(every(7, start_time=start), NOON) == start
    assert first_slot(every(7, start_time=start), start) == start + 7 * MINUTE
    assert first_slot(every(7, start_time=start), start + 8 * MINUTE) == start + 14 * MINUTE


def test_a_crontab_with_a_start_begins_with_its_first_instant_from_then_on() -> None:
    start = NOON + timedelta(hours=3)

    assert first_slot(cron("*/20 * * * *", start_time=start), NOON) == start
    late = start + SECOND
    assert first_slot(cron("*/20 * * * *", start_time=late), NOON) == start + 20 * MINUTE


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("*/15 * * * *", ["06-15T12:15", "06-15T12:30", "06-15T12:45", "06-15T13:00"]),
        ("0 12 * * *", ["06-16T12:00", "06-17T12:00", "06-18T12:00", "06-19T12:00"]),
        ("30 8 1 * *", ["07-01T08:30", "08-01T08:30", "09-01T08:30", "10-01T08:30"]),
        ("0 0 * * 1", ["06-21T00:00", "06-28T00:00", "07-05T00:00", "07-12T00:00"]),
        ("0 0 13 * 5", ["08-13T00:00", "10-13T00:00"]),  # day of month AND day of week
    ],
)
def test_crontabs_follow_the_rules_of_celery(text: str, expected: list[str]) -> None:
    assert slots(cron(text), NOON, len(expected)) == expected


def test_a_crontab_means_its_own_zone() -> None:
    assert slots(cron("0 9 * * *", "Europe/Berlin"), NOON, 2) == ["06-16T07:00", "06-17T07:00"]


def test_a_time_that_does_not_exist_shifts_by_the_gap_and_one_that_comes_twice_runs_once() -> None:
    spring = datetime(2026, 3, 28, 12, tzinfo=UTC)
    autumn = datetime(2026, 10, 24, 12, tzinfo=UTC)
    row = cron("30 2 * * *", "Europe/Berlin")

    assert slots(row, spring, 2) == ["03-29T01:30", "03-30T00:30"]
    assert slots(row, autumn, 2) == ["10-25T00:30", "10-26T01:30"]


def test_slots_only_grow_through_every_hour_of_a_change() -> None:
    for zone in ["Europe/Berlin", "Australia/Lord_Howe", "America/New_York", "Africa/Cairo"]:
        for text in ["*/10 * * * *", "30 1,2,3 * * *", "0 0 * * *"]:
            row = cron(text, zone)
            for month, day in [(3, 7), (4, 4), (10, 24)]:
                after = begin = datetime(2026, month, day, tzinfo=UTC)
                while after < begin + timedelta(hours=60):
                    slot = first_slot(row, after)
                    assert slot is not None
                    assert slot > after
                    after += 13 * MINUTE


def test_what_is_a_little_late_follows_on_and_what_was_missed_is_passed_over() -> None:
    row = every(10, "seconds")

    assert following_slot(row, NOON, NOON + LATE) == NOON + 10 * SECOND
    missed = NOON + timedelta(days=365) + 3 * SECOND
    assert following_slot(row, NOON, missed) == missed + 7 * SECOND
    assert following_slot(cron("*/5 * * * *"), NOON, missed) == NOON + timedelta(
        days=365, minutes=5
    )


def test_a_clocked_row_has_one_slot_whenever_that_was() -> None:
    row = clocked(NOON - timedelta(days=1))

    assert first_slot(row, NOON) == NOON - timedelta(days=1)
    assert following_slot(row, NOON, NOON) is None


@pytest.mark.parametrize(
    ("row", "error"),
    [
        (PeriodicTask(), SlotError),
        (every(0), SlotError),
        (every(-1), SlotError),
        (every(1, "fortnights"), TypeError),
        (cron("61 * * * *"), ValueError),
        (cron("0 0 30 2 *"), ValueError),
        (cron("x * * * *"), ValueError),
        (
            PeriodicTask(solar=SolarSchedule(event="sunrise", latitude=1, longitude=1)),
            ImproperlyConfigured,
        ),
    ],
)
def test_what_cannot_be_read_raises_in_bounded_time(
    row: PeriodicTask, error: type[Exception]
) -> None:
    with pytest.raises(error):
        first_slot(row, NOON)

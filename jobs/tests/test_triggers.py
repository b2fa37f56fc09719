"""Building a trigger from a canonical schedule; schedules of one slot and of none; zone names."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import available_timezones

import pytest

from jobs.triggers import TriggerError, build, build_coming, zones
from jobs.triggers.base import FIRST, HORIZON
from jobs.triggers.walk import first_of_newest, slots_between

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
MOMENT = timedelta(microseconds=1)


@pytest.mark.parametrize("kind", [None, "", "CRON", "hourly", 1, ["cron"], {"cron": 1}, "\x00"])
def test_unknown_type_is_refused(kind: object) -> None:
    with pytest.raises(TriggerError) as caught:
        build({"type": kind, "cron": "* * * * *"})

    assert (caught.value.field, caught.value.code) == ("type", "schedule.type_unknown")
    assert "interval" in caught.value.hint


def test_once_has_exactly_its_one_slot() -> None:
    once = build({"type": "once", "run_at": NOON})

    assert once.after(NOON - MOMENT) == once.at_or_before(NOON) == NOON
    assert once.after(NOON) is once.at_or_before(NOON - MOMENT) is None
    assert once.count(NOON - MOMENT, NOON) == 1
    assert once.count(NOON, HORIZON) == once.count(FIRST, NOON - MOMENT) == 0


def test_once_reads_any_offset() -> None:
    tokyo = timezone(timedelta(hours=9))

    slot = build({"type": "once", "run_at": NOON.astimezone(tokyo)}).after(FIRST)

    assert slot == NOON
    assert slot.tzinfo is UTC


def test_manual_never_fires() -> None:
    manual = build({"type": "manual"})

    assert manual.after(FIRST) is manual.at_or_before(HORIZON) is None
    assert manual.count(FIRST, HORIZON) == 0


def test_new_schedule_must_have_a_slot_ahead() -> None:
    for schedule in (
        {"type": "manual"},
        {"type": "interval", "every_seconds": 60},
        {"type": "cron", "cron": "0 0 29 2 *"},
        {"type": "once", "run_at": NOON + MOMENT},
        {"type": "once", "run_at": NOON - timedelta(seconds=30)},  # "now", as the caller saw it
    ):
        assert build_coming(schedule, now=NOON) == build(schedule)

    with pytest.raises(TriggerError) as caught:
        build_coming({"type": "once", "run_at": NOON - timedelta(minutes=2)}, now=NOON)
    assert (caught.value.field, caught.value.code) == ("run_at", "schedule.run_at_past")


def test_every_zone_of_the_database_is_known_but_those_that_differ_by_machine() -> None:
    assert available_timezones() - zones.names() <= {"Factory", "localtime", "posixrules"}
    assert {zones.named(name).key for name in zones.names()} == zones.names()


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("europe/berlin", "Did you mean Europe/Berlin?"),
        ("EUROPE/BERLIN", "Did you mean Europe/Berlin?"),
        (" UTC", "Did you mean UTC?"),
        ("utc", "Did you mean UTC?"),
        ("Berlin", "Did you mean Europe/Berlin?"),
        ("New York", "Did you mean America/New_York?"),
        ("America/New York", "Did you mean America/New_York?"),
        ("Europe/Berln", "Did you mean Europe/Berlin?"),
        ("Asia/Calcuta", "Did you mean Asia/Calcutta?"),
        ("localtime", "an offset is not a zone"),
        ("posixrules", "an offset is not a zone"),
        ("Factory", "an offset is not a zone"),
        ("+02:00", "an offset is not a zone"),
        ("UTC+2", ""),
        ("../../etc/passwd", ""),
        ("/usr/share/zoneinfo/UTC", ""),
        ("Europe/../UTC", ""),
        ("Europe", ""),
        ("Europe/Berlin\x00", ""),
        ("\x00", ""),
        ("\ud800", ""),
        ("Europe/Berlin\n", "Did you mean Europe/Berlin?"),
        ("x" * 10_000, "an offset is not a zone"),
        ("", "an offset is not a zone"),
        (None, "an offset is not a zone"),
        (5, "an offset is not a zone"),
        (["UTC"], "an offset is not a zone"),
    ],
)
def test_what_is_no_zone_is_refused_with_the_nearest_name(name: object, hint: str) -> None:
    zones.names()
    start = time.thread_time()
    with pytest.raises(TriggerError) as caught:
        build({"type": "cron", "cron": "* * * * *", "timezone": name})

    assert (caught.value.field, caught.value.code) == ("timezone", "schedule.timezone_unknown")
    assert hint in caught.value.hint
    assert time.thread_time() - start < 0.5


def test_slots_between_excludes_the_start_includes_the_end_and_stops_at_the_limit() -> None:
    minutely = build({"type": "interval", "every_seconds": 60})
    minutes = [NOON + timedelta(minutes=n) for n in range(6)]

    assert slots_between(minutely, minutes[0], minutes[3], limit=10) == minutes[1:4]
    assert slots_between(minutely, minutes[0], HORIZON, limit=2) == minutes[1:3]
    assert slots_between(minutely, minutes[3], minutes[3], limit=10) == []


@pytest.mark.parametrize(
    "schedule",
    [
        {"type": "interval", "every_seconds": 7, "anchor": NOON + 3 * MOMENT},
        {"type": "cron", "cron": "*/7 1-3 * * *", "timezone": "Europe/Berlin"},
    ],
)
def test_first_of_the_newest_slots_has_exactly_the_others_after_it(
    schedule: dict[str, object],
) -> None:
    trigger = build(schedule)
    start = NOON - timedelta(days=300)

    for number in (1, 2, 99):
        first = first_of_newest(trigger, start, NOON, number=number)
        assert trigger.count(first - MOMENT, NOON) == number
        assert trigger.at_or_before(first) == first

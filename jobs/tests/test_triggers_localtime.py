"""Local time by RFC 5545, against the golden table and against a film of every minute."""

from __future__ import annotations

import io
import struct
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.tests.wallclock import DAY, MINUTE, ZONES, Film, change_days
from jobs.triggers import Trigger, build
from jobs.triggers.cron import CronTrigger
from jobs.triggers.walk import slots_between

YEARS = (2024, 2037)


def cron(expression: str, zone: str) -> CronTrigger:
    trigger = build({"type": "cron", "cron": expression, "timezone": zone})
    assert isinstance(trigger, CronTrigger)
    return trigger


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def slots(trigger: Trigger, start: datetime, end: datetime) -> list[datetime]:
    """Every slot with ``start <= slot < end``."""
    moment = timedelta(microseconds=1)
    return slots_between(trigger, start - moment, end - moment, limit=100_000)


@pytest.mark.parametrize(
    ("zone", "expression", "day", "instants"),
    [
        ("America/New_York", "30 2 * * *", "2026-03-08", ["2026-03-08 07:30"]),
        ("America/New_York", "30 1 * * *", "2026-11-01", ["2026-11-01 05:30"]),
        ("Europe/Berlin", "30 2 * * *", "2026-03-29", ["2026-03-29 01:30"]),
        ("Europe/Berlin", "30 2 * * *", "2026-10-25", ["2026-10-25 00:30"]),
        ("Africa/Cairo", "0 0 * * *", "2026-04-24", ["2026-04-23 22:00"]),
        ("Australia/Lord_Howe", "15 2 * * *", "2026-10-04", ["2026-10-03 15:45"]),
        ("Australia/Lord_Howe", "45 1 * * *", "2026-04-05", ["2026-04-04 14:45"]),
        ("Antarctica/Troll", "30 1 * * *", "2026-03-29", ["2026-03-29 01:30"]),
        ("Antarctica/Troll", "30 1 * * *", "2026-10-25", ["2026-10-24 23:30"]),
        ("America/Santiago", "30 0 * * *", "2026-09-06", ["2026-09-06 04:30"]),
        ("Pacific/Apia", "0 9 * * *", "2011-12-30", []),
        (
            "America/New_York",
            "0,30 2,3 * * *",
            "2026-03-08",
            ["2026-03-08 07:00", "2026-03-08 07:30"],
        ),
    ],
)
def test_golden_instants(zone: str, expression: str, day: str, instants: list[str]) -> None:
    trigger = cron(expression, zone)
    around = slots(trigger, utc(day) - 2 * DAY, utc(day) + 3 * DAY)

    on_that_date = [
        slot
        for slot in around
        if date.fromisoformat(day) in {time.date() for time in trigger.local_times(slot)}
    ]

    assert on_that_date == [utc(instant) for instant in instants]


def test_monthly_job_on_a_date_that_does_not_exist_waits_for_the_next_month() -> None:
    monthly = cron("0 9 30 * *", "Pacific/Apia")

    assert monthly.after(utc("2011-12-01")) == utc("2012-01-29 19:00")


def test_every_half_hour_keeps_its_pace_through_gap_and_fold() -> None:
    half_hourly = cron("*/30 * * * *", "Europe/Berlin")
    for day in ("2026-03-29", "2026-10-25"):
        found = slots(half_hourly, utc(day) - DAY, utc(day) + DAY)

        assert {b - a for a, b in pairwise(found)} == {timedelta(minutes=30)}


def test_every_hour_written_in_any_way_means_the_same() -> None:
    day = utc("2026-10-25")
    spellings = ["0 * * * *", "0 0-23 * * *", "0 */1 * * *", "0 0 * * * ?", "0 0 0/1 * * ?"]

    found = [slots(cron(text, "Europe/Berlin"), day - DAY, day + DAY) for text in spellings]

    assert all(one == found[0] for one in found)
    assert len(found[0]) == 48


def test_intervals_ignore_clock_changes() -> None:
    hourly = build({"type": "interval", "every_seconds": 3600})

    found = slots(hourly, utc("2026-10-24"), utc("2026-10-27"))

    assert {b - a for a, b in pairwise(found)} == {timedelta(hours=1)}


def test_gap_across_new_year_in_utc_is_one_gap() -> None:
    """No real zone does this; clocks of this one go from 23:30 to 00:30 on New Year's Eve."""
    made = replace(cron("15 0 * * *", "UTC"), zone=made_zone("AAA0BBB,J365/23:30,J60/2"))

    found = slots(made, utc("2026-12-31 12:00"), utc("2027-01-03"))

    assert found == [utc("2027-01-01 00:15"), utc("2027-01-01 23:15"), utc("2027-01-02 23:15")]


def made_zone(rule: str) -> ZoneInfo:
    """A zone that follows a POSIX rule, as the file that says nothing else."""
    header = b"TZif2" + bytes(15) + struct.pack(">6l", 0, 0, 0, 0, 1, 4)
    block = header + struct.pack(">lbb", 0, 0, 0) + b"AAA\0"
    return ZoneInfo.from_file(io.BytesIO(block * 2 + f"\n{rule}\n".encode()))


def test_fixed_time_daily_job_runs_exactly_once_per_existing_local_date() -> None:
    for zone in ZONES:
        hit = first_local_time_hit(zone)
        daily = cron(f"{hit.minute} {hit.hour} * * *", zone)

        first, last = daily.after(utc("2024-01-02")), daily.at_or_before(utc("2038-01-01"))
        assert first is not None
        assert last is not None
        days = daily.local_times(last)[0].date() - daily.local_times(first)[0].date()
        assert daily.count(first, last) == days.days > 5000, zone
        for day in change_days(zone, *YEARS):
            start, end = two_days(day)
            found = slots(daily, start - 2 * DAY, end + 2 * DAY)
            dates = [time.date() for slot in found for time in daily.local_times(slot)]
            assert dates == [dates[0] + n * DAY for n in range(len(found))], zone


def first_local_time_hit(zone: str) -> datetime:
    """The earliest local time that the zone's first clock change removes or repeats, if any."""
    days = change_days(zone, *YEARS)
    film = Film.of(ZoneInfo(zone), *two_days(days[0] if days else date(2024, 6, 1)))
    for (_, before), (_, after) in pairwise(film.minutes):
        if after - before != MINUTE:
            return min(before + MINUTE, after)
    return film.minutes[0][1]


def two_days(day: date) -> tuple[datetime, datetime]:
    start = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return start, start + 2 * DAY


some_hours = st.one_of(
    st.sets(st.integers(0, 4), min_size=1, max_size=4),
    st.sets(st.integers(0, 23), min_size=1, max_size=6),
    st.just(set(range(24))),
)
some_minutes = st.sets(st.integers(0, 59), min_size=1, max_size=5)
zones_and_days = st.builds(
    lambda zone, pick: (zone, _pick(change_days(zone, *YEARS) or [date(2030, 6, 1)], pick)),
    st.sampled_from(ZONES),
    st.integers(0, 100),
)


@settings(max_examples=250, deadline=None, derandomize=True, database=None)
@given(
    change=zones_and_days, hours=some_hours, minutes=some_minutes, second=st.integers(0, 172_799)
)
def test_slots_around_every_clock_change_are_those_of_the_film(
    change: tuple[str, date], hours: set[int], minutes: set[int], second: int
) -> None:
    zone, day = change
    start, end = two_days(day)
    film = Film.of(ZoneInfo(zone), start - DAY, end + DAY)
    expected = film.showing(hours, minutes) if len(hours) == 24 else film.named(hours, minutes)
    wanted = [at for at in expected if start <= at < end]

    trigger = cron(f"{_list(minutes)} {_list(hours)} * * *", zone)
    at = start + timedelta(seconds=second)

    assert slots(trigger, start, end) == wanted
    assert trigger.after(at) == next(slot for slot in expected if slot > at)
    assert trigger.at_or_before(at) == next(slot for slot in reversed(expected) if slot <= at)
    assert trigger.count(start, at) == sum(start < slot <= at for slot in wanted)


def _pick(days: list[date], pick: int) -> date:
    return days[pick % len(days)]


def _list(numbers: set[int]) -> str:
    return ",".join(str(number) for number in sorted(numbers))

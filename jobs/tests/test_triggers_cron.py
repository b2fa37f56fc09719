"""The Unix dialect, words, and what every cron expression has in common."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from croniter import croniter
from cronsim import CronSim
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from jobs.triggers import TriggerError, build, build_coming
from jobs.triggers.base import FIRST, HORIZON
from jobs.triggers.cron import PRESETS, CronTrigger, Dialect
from jobs.triggers.walk import slots_between

START = datetime(2026, 1, 1, tzinfo=UTC)


def cron(expression: str, zone: str = "UTC") -> CronTrigger:
    trigger = build({"type": "cron", "cron": expression, "timezone": zone})
    assert isinstance(trigger, CronTrigger)
    return trigger


def next_slots(expression: str, number: int) -> list[str]:
    slots = slots_between(cron(expression), START, HORIZON, limit=number)
    return [f"{slot:%m-%d %H:%M}" for slot in slots]


@pytest.mark.parametrize(
    ("expression", "slots"),
    [
        ("0 12 * * *", ["01-01 12:00", "01-02 12:00"]),
        ("*/20 * * * *", ["01-01 00:20", "01-01 00:40", "01-01 01:00"]),
        ("5/25 0 * * *", ["01-01 00:05", "01-01 00:30", "01-01 00:55", "01-02 00:05"]),
        ("0-10/5,30 9 * * *", ["01-01 09:00", "01-01 09:05", "01-01 09:10", "01-01 09:30"]),
        ("0 9 * * 1", ["01-05 09:00", "01-12 09:00"]),
        ("0 9 * * 0", ["01-04 09:00", "01-11 09:00"]),
        ("0 9 * * 7", ["01-04 09:00", "01-11 09:00"]),
        ("0 9 * * sun,Wed", ["01-04 09:00", "01-07 09:00"]),
        ("0 9 * jul-AUG mon", ["07-06 09:00", "07-13 09:00"]),
        ("0 0 13 * FRI", ["01-02 00:00", "01-09 00:00", "01-13 00:00", "01-16 00:00"]),
        ("0 0 */7 * FRI", ["05-01 00:00", "05-08 00:00", "05-15 00:00", "05-22 00:00"]),
        ("0 0 L * *", ["01-31 00:00", "02-28 00:00"]),
        ("0 0 LW * *", ["01-30 00:00", "02-27 00:00"]),
        ("0 0 * * 5L", ["01-30 00:00", "02-27 00:00"]),
        ("0 0 * * MON#2", ["01-12 00:00", "02-09 00:00"]),
        ("  0\t12  * * * ", ["01-01 12:00", "01-02 12:00"]),
    ],
)
def test_unix_expression_names_the_slots_worked_out_by_hand(
    expression: str, slots: list[str]
) -> None:
    assert next_slots(expression, len(slots)) == slots
    assert cron(expression).dialect is Dialect.UNIX


@pytest.mark.parametrize("word", [*PRESETS, "Daily", "HOURLY"])
def test_word_means_its_five_fields(word: str) -> None:
    assert next_slots(f"@{word}", 3) == next_slots(PRESETS[word.lower()], 3)
    assert cron(f"@{word}").dialect is Dialect.UNIX


@pytest.mark.parametrize(
    ("expression", "part"),
    [
        (None, "must be an expression"),
        (5, "must be an expression"),
        (["* * * * *"], "must be an expression"),
        ("", "must be an expression"),
        ("  ", "must be an expression"),
        ("*", "this has 1"),
        ("* * * *", "this has 4"),
        ("* * * * * * * *", "this has 8"),
        ("60 * * * *", "minute: '60'"),
        ("-1 * * * *", "minute: '-1'"),
        ("* 24 * * *", "hour: '24'"),
        ("* * 0 * *", "day of month: '0'"),
        ("* * 32 * *", "day of month: '32'"),
        ("* * * 13 *", "month: '13'"),
        ("* * * JANUARY *", "month: 'JANUARY'"),
        ("* * * * 8", "day of week: '8'"),
        ("* * * * MON#6", "day of week: 'MON#6'"),
        ("* * 15W * *", "day of month: '15W'"),
        ("0 12 * * ?", "day of week: '?'"),
        ("*/0 * * * *", "minute: '*/0'"),
        ("*/90 * * * *", "minute: '*/90'"),
        ("* */25 * * *", "hour: '*/25'"),
        ("5-5/2 * * * *", "minute: '5-5/2'"),
        ("5-1 * * * *", "minute: '5-1'"),
        ("1,,2 * * * *", "minute: '1,,2'"),
        ("1, * * * *", "minute: '1,'"),
        ("1-2-3 * * * *", "minute: '1-2-3'"),
        ("1/2/3 * * * *", "minute: '1/2/3'"),
        ("L * * * *", "minute: 'L'"),
        ("+1 * * * *", "consists of"),
        ("1.5 * * * *", "consists of"),
        ("1e1 * * * *", "minute: '1E1'"),
        ("\u0661 * * * *", "consists of"),
        ("\uff11 * * * *", "consists of"),
        ("* * * *\x00 *", "consists of"),
        ("* * * *\n*", "consists of"),
        ("* * * *\u00a0*", "consists of"),
        ("* * * * \ud800", "consists of"),
        ("; rm -rf", "consists of"),
        ("* " * 5_000, "at most 256"),
        ("0," * 127 + "0 * * *", "at most 256"),
        ("@fortnightly", "not a known word"),
        ("@reboot", "not a known word"),
        ("@every 5m", "not a known word"),
        ("@", "not a known word"),
        ("0 @daily * * *", "hour: '@DAILY'"),
    ],
)
def test_malformed_expression_is_refused_with_the_wrong_part(expression: object, part: str) -> None:
    with pytest.raises(TriggerError) as caught:
        build({"type": "cron", "cron": expression})

    assert part in str(caught.value)
    assert (caught.value.field, caught.value.code) == ("cron", "schedule.cron_invalid")


@pytest.mark.parametrize(
    "expression",
    [
        "0 0 30 2 *",
        "0 0 31 2,4,6,9,11 *",
        "0 0 */16 * MON#5",
        "0 0 */20 * 1L",
        "0 0 0 30 2 ?",
        "0 0 0 L-30 2 ?",
        "0 0 0 29 2 ? 2027",
        "0 0 0 29 2 ? 1971/4",
        "0 0 0 ? 2 2#5 2027",
    ],
)
def test_expression_that_never_fires_is_refused_within_10_ms(expression: str) -> None:
    with pytest.raises(TriggerError) as caught:
        cron(expression)

    assert (caught.value.field, caught.value.code) == ("cron", "schedule.never_fires")
    assert min(seconds_to_refuse(expression) for _ in range(5)) < 0.010


def seconds_to_refuse(expression: str) -> float:
    start = time.thread_time()
    with pytest.raises(TriggerError):
        cron(expression)
    return time.thread_time() - start


def test_years_that_have_passed_are_refused_only_when_new() -> None:
    schedule = {"type": "cron", "cron": "0 0 0 1 1 ? 2020", "timezone": "UTC"}

    assert build(schedule).after(START) is None
    with pytest.raises(TriggerError) as caught:
        build_coming(schedule, now=START)
    assert caught.value.code == "schedule.never_fires"


@pytest.mark.parametrize(
    ("expression", "zone", "slot"),
    [
        ("0 0 1 1 1 ? 2031", "Asia/Tokyo", datetime(2030, 12, 31, 16, tzinfo=UTC)),
        ("0 0 22 31 12 ? 2030", "America/New_York", datetime(2031, 1, 1, 3, tzinfo=UTC)),
    ],
)
def test_slot_is_found_over_years_though_local_and_utc_years_differ(
    expression: str, zone: str, slot: datetime
) -> None:
    trigger = cron(expression, zone)

    for start in (START, datetime(2030, 6, 1, tzinfo=UTC), slot - timedelta(seconds=1)):
        assert trigger.after(start) == slot
    for end in (datetime(2036, 6, 1, tzinfo=UTC), datetime(2031, 6, 1, tzinfo=UTC), slot):
        assert trigger.at_or_before(end) == slot


def test_rarest_day_is_found_across_the_century_without_its_leap_year() -> None:
    fifth_monday_of_february = cron("0 0 * 2 MON#5")
    found = slots_between(fifth_monday_of_february, START, HORIZON, limit=3)

    assert [slot.date().isoformat() for slot in found] == ["2044-02-29", "2072-02-29", "2112-02-29"]
    assert fifth_monday_of_february.at_or_before(found[2] - timedelta(days=1)) == found[1]


def test_one_expression_in_one_zone_is_built_once() -> None:
    assert cron("7 3 * * *", "Europe/Berlin") is cron(" 7  3 * * *", "Europe/Berlin")
    assert cron("7 3 * * *", "Europe/Berlin") is not cron("7 3 * * *", "Europe/Paris")


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Pacific/Kiritimati", "Pacific/Niue"])
@pytest.mark.parametrize("expression", ["* * * * * *", "0 0 * * *", "0 12 29 2 *", "0 0 1 1 *"])
def test_no_instant_overflows(expression: str, zone: str) -> None:
    trigger = cron(expression, zone)
    dawn, doom = datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)

    assert trigger.after(dawn) == trigger.after(FIRST - timedelta(seconds=1))
    assert trigger.at_or_before(dawn) is None
    assert trigger.at_or_before(doom) == trigger.at_or_before(HORIZON)
    assert (trigger.at_or_before(doom) or HORIZON) < HORIZON
    assert trigger.after(HORIZON - timedelta(seconds=1)) is trigger.after(doom) is None
    assert trigger.count(FIRST, FIRST) == trigger.count(doom, dawn) == 0


def test_fractions_of_a_second_do_not_hide_or_repeat_a_slot() -> None:
    secondly = cron("* * * * * *")
    half = START + timedelta(milliseconds=500)

    assert secondly.after(half) == START + timedelta(seconds=1)
    assert secondly.at_or_before(half) == START
    assert secondly.count(half, half + timedelta(seconds=1)) == 1


numbers = st.lists(st.integers(1, 23), min_size=1, max_size=4, unique=True).map(
    lambda found: ",".join(map(str, found))
)
times = st.one_of(st.just("*"), numbers, st.integers(1, 20).map(lambda step: f"*/{step}"))
days = st.one_of(st.tuples(numbers, st.just("*")), st.tuples(st.just("*"), st.just("1-5")))
expressions = st.builds(
    lambda minute, hour, day, month: f"{minute} {hour} {day[0]} {month} {day[1]}",
    times,
    times,
    st.one_of(days, st.just(("*", "0,6")), st.tuples(numbers, st.just("2,4"))),
    st.sampled_from(["*", "*/3", "2-4", "12"]),
)
instants = st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1))  # noqa: DTZ001  UTC is added


@settings(max_examples=120, deadline=None, derandomize=True, database=None)
@given(expression=expressions, naive=instants)
def test_three_engines_agree_in_utc(expression: str, naive: datetime) -> None:
    start = naive.replace(tzinfo=UTC)
    found = slots_between(cron(expression), start, HORIZON, limit=8)

    other, third = croniter(expression, start), CronSim(expression, start)
    assert found == [other.get_next(datetime) for _ in range(8)]
    assert found == [next(third) for _ in range(8)]


@settings(max_examples=120, deadline=None, derandomize=True, database=None)
@given(expression=expressions, naive=instants, zone=st.sampled_from(["UTC", "Europe/Berlin"]))
def test_count_and_way_back_agree_with_the_way_forward(
    expression: str, naive: datetime, zone: str
) -> None:
    trigger, start = cron(expression, zone), naive.replace(tzinfo=UTC)
    found = slots_between(trigger, start, HORIZON, limit=30)
    assume(found)

    assert trigger.count(start, found[-1]) == len(found)
    assert trigger.at_or_before(found[-1]) == found[-1]
    for earlier, later in pairwise(found):
        assert trigger.at_or_before(later - timedelta(microseconds=1)) == earlier


def test_a_year_of_seconds_is_counted_at_once() -> None:
    secondly = cron("* * * * * ?", "Europe/Berlin")
    start = time.thread_time()

    assert secondly.count(START, START + timedelta(days=365)) == 365 * 86_400
    assert time.thread_time() - start < 0.1

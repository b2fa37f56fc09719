"""Bounds: which slots are left of a rule, and how lengths of jitter and gaps are found."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from time import thread_time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.triggers import Trigger, TriggerError, build, build_coming
from jobs.triggers.base import FIRST, HORIZON
from jobs.triggers.walk import shortest_gap, slots_between

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
SECOND, MINUTE, HOUR, DAY = (timedelta(seconds=n) for n in (1, 60, 3600, 86_400))
MOMENT = timedelta(microseconds=1)
RULES: list[dict[str, Any]] = [
    {"type": "interval", "every_seconds": 3600, "anchor": NOON + 7 * MINUTE},
    {"type": "interval", "every_seconds": 1},
    {"type": "cron", "cron": "*/20 9-17 * * 1-5", "timezone": "America/New_York"},
    {"type": "cron", "cron": "0 30 2 L * ?", "timezone": "Europe/Berlin"},
]


def bounded(rule: dict[str, Any], start: datetime | None, end: datetime | None) -> Trigger:
    return build(rule | {"starts_at": start, "ends_at": end})


@pytest.mark.parametrize("rule", RULES)
def test_without_bounds_a_rule_is_itself(rule: dict[str, Any]) -> None:
    assert bounded(rule, None, None) == build(rule)


def test_the_start_is_a_slot_and_the_end_is_none() -> None:
    hourly = bounded({"type": "interval", "every_seconds": 3600}, NOON, NOON + 2 * HOUR)

    assert slots_between(hourly, FIRST, HORIZON, limit=9) == [NOON, NOON + HOUR]
    assert hourly.at_or_before(HORIZON) == NOON + HOUR
    assert hourly.at_or_before(NOON - MOMENT) is None
    assert hourly.count(FIRST, HORIZON) == 2


def test_bounds_do_not_shift_the_phase() -> None:
    start = NOON + 30 * MINUTE
    hourly = bounded(RULES[0], start, None)

    assert hourly.after(FIRST) == NOON + HOUR + 7 * MINUTE


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(
    rule=st.sampled_from(RULES),
    start=st.integers(-3 * 86_400, 3 * 86_400),
    length=st.integers(1, 5 * 86_400),
    after=st.integers(-6 * 86_400, 6 * 86_400),
    span=st.integers(0, 3 * 86_400),
)
def test_bounded_slots_are_those_of_the_rule_that_lie_between(
    rule: dict[str, Any], start: int, length: int, after: int, span: int
) -> None:
    low, high = NOON + start * SECOND, NOON + (start + length) * SECOND
    trigger, free = bounded(rule, low, high), build(rule)
    since, until = NOON + after * SECOND, NOON + (after + span) * SECOND
    first, last = free.after(max(since, low - MOMENT)), free.at_or_before(min(until, high - MOMENT))

    assert trigger.after(since) == (first if first and first < high else None)
    assert trigger.at_or_before(until) == (last if last and last >= low else None)
    inside = free.count(max(since, low - MOMENT), min(until, high - MOMENT))
    assert trigger.count(since, until) == (inside if since < until and low <= until else 0)
    found = slots_between(trigger, since, until, limit=50)
    assert all(low <= slot < high for slot in found)
    assert len(found) == min(50, trigger.count(since, until))


@pytest.mark.parametrize(
    ("bounds", "field", "code"),
    [
        ({"starts_at": NOON, "ends_at": NOON}, "ends_at", "schedule.bounds_crossed"),
        ({"starts_at": NOON, "ends_at": NOON - DAY}, "ends_at", "schedule.bounds_crossed"),
        ({"starts_at": "2026-06-01"}, "starts_at", "schedule.instant_invalid"),
        ({"ends_at": NOON.replace(tzinfo=None)}, "ends_at", "schedule.instant_invalid"),
        ({"ends_at": HORIZON}, "ends_at", "schedule.instant_invalid"),
    ],
)
@pytest.mark.parametrize("rule", RULES)
def test_bounds_without_sense_are_refused(
    rule: dict[str, Any], bounds: dict[str, Any], field: str, code: str
) -> None:
    with pytest.raises(TriggerError) as caught:
        build(rule | bounds)

    assert (caught.value.field, caught.value.code) == (field, code)


@pytest.mark.parametrize(
    ("schedule", "code"),
    [
        ({"type": "cron", "cron": "0 9 * * *", "ends_at": NOON - DAY}, "schedule.ends_at_past"),
        ({"type": "interval", "every_seconds": 60, "ends_at": NOON - HOUR},
         "schedule.ends_at_past"),
        ({"type": "cron", "cron": "0 9 * * *", "ends_at": NOON + HOUR}, "schedule.never_fires"),
        ({"type": "cron", "cron": "0 0 29 2 *", "starts_at": NOON, "ends_at": NOON + 300 * DAY},
         "schedule.never_fires"),
        ({"type": "interval", "mode": "fixed_delay", "every_seconds": 7200,
          "ends_at": NOON + HOUR}, "schedule.never_fires"),
    ],
)  # fmt: skip
def test_a_new_schedule_has_a_slot_within_its_bounds(schedule: dict[str, Any], code: str) -> None:
    with pytest.raises(TriggerError) as caught:
        build_coming(schedule, now=NOON)

    assert (caught.value.field, caught.value.code) == ("ends_at", code)


def test_a_delay_counts_from_the_end_before_and_waits_for_its_start() -> None:
    rule = {"type": "interval", "mode": "fixed_delay", "every_seconds": 60}

    assert build(rule).after(NOON) == NOON + MINUTE
    assert bounded(rule, NOON + HOUR, None).after(NOON) == NOON + HOUR
    assert bounded(rule, NOON + HOUR, None).after(NOON + 2 * HOUR) == NOON + 2 * HOUR + MINUTE
    assert bounded(rule, None, NOON + MINUTE).after(NOON) is None
    assert build(rule).after(HORIZON - SECOND) is None
    assert build(rule).at_or_before(NOON) is None
    assert build(rule).count(FIRST, HORIZON) == 0


@pytest.mark.parametrize(
    ("schedule", "seconds"),
    [
        ({"type": "interval", "every_seconds": 90}, 90),
        ({"type": "cron", "cron": "*/59 * * * *"}, 60),
        ({"type": "cron", "cron": "0 9,17 * * *"}, 8 * 3600),
        ({"type": "cron", "cron": "0 0 1,2 1 *"}, 86_400),
        ({"type": "cron", "cron": "*/7 * * * * ?"}, 4),
        ({"type": "cron", "cron": "0 0,5 29 2 *"}, 5 * 3600),
        ({"type": "cron", "cron": "0 9 * * *", "starts_at": NOON + 9000 * DAY}, 86_400),
    ],
)
def test_the_shortest_gap_of_a_rule(schedule: dict[str, Any], seconds: int) -> None:
    assert shortest_gap(build(schedule), NOON) == timedelta(seconds=seconds)


def test_the_gap_of_the_rarest_slots_is_not_looked_for_long() -> None:
    rarest = build({"type": "cron", "cron": "0 0 0 ? 2 2#5", "timezone": "America/New_York"})
    started = thread_time()

    assert shortest_gap(rarest, NOON) is None
    assert thread_time() - started < 0.2


def test_one_slot_has_no_gap() -> None:
    assert shortest_gap(build({"type": "once", "run_at": NOON}), FIRST) is None

"""What is said about a schedule before it is saved: words, instants in two zones, clock changes."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from jobs.triggers import TriggerError
from jobs.triggers.preview import Preview, preview

NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)


def show(cron: str, zone: str = "UTC", *, now: datetime = NEW_YEAR) -> Preview:
    return preview({"type": "cron", "cron": cron, "timezone": zone}, now=now)


def test_next_slots_are_shown_in_utc_and_in_the_zone() -> None:
    shown = show("0 12 * * *", "America/New_York")

    assert (shown.dialect, shown.timezone, len(shown.slots)) == ("unix", "America/New_York", 5)
    assert shown.slots[0].at.isoformat() == "2026-01-01T17:00:00+00:00"
    assert shown.slots[0].local.isoformat() == "2026-01-01T12:00:00-05:00"


def test_schedule_that_ends_shows_what_is_left() -> None:
    assert len(show("0 0 0 1 1 ? 2027-2028").slots) == 2
    assert len(preview({"type": "once", "run_at": NEW_YEAR}, now=NEW_YEAR).slots) == 0


@pytest.mark.parametrize(
    ("schedule", "words"),
    [
        ({"type": "cron", "cron": "0 12 * * *"}, "At 12:00 every day"),
        ({"type": "cron", "cron": "30 2 * * 1-5"}, "At 02:30 on Monday through Friday"),
        (
            {"type": "cron", "cron": "0 0 13 * FRI"},
            "At 00:00 on the 13th day of month and on Friday",
        ),
        ({"type": "cron", "cron": "@hourly"}, "At the start of every hour"),
        ({"type": "cron", "cron": "*/5 * * * *"}, "Every 5 minutes"),
        ({"type": "cron", "cron": "* * * * * *"}, "Every second"),
        ({"type": "cron", "cron": "0 0 12 ? * 1"}, "At 12:00, only on Sunday"),
        ({"type": "cron", "cron": "0 0 12 ? * L"}, "At 12:00, only on Saturday"),
        (
            {"type": "cron", "cron": "0 15 10 ? * 6L 2026-2030"},
            "At 10:15, on the last Friday of the month, 2026 through 2030",
        ),
        (
            {"type": "cron", "cron": "0 15 10 15W * ?"},
            "At 10:15, on the weekday nearest day 15 of the month",
        ),
        (
            {"type": "cron", "cron": "0 0 0 L-3W * ?"},
            "By the Quartz expression 0 0 0 L-3W * ?",
        ),
        ({"type": "interval", "every_seconds": 1}, "Every second"),
        ({"type": "interval", "every_seconds": 90}, "Every 90 seconds"),
        ({"type": "interval", "every_seconds": 7200}, "Every 2 hours"),
        ({"type": "once", "run_at": NEW_YEAR}, "Once, at 2026-01-01 00:00:00 UTC"),
        ({"type": "manual"}, "Only when started by hand"),
    ],
)
def test_schedule_is_said_in_words(schedule: dict[str, Any], words: str) -> None:
    assert preview(schedule, now=NEW_YEAR).words == words


@pytest.mark.parametrize(
    ("cron", "zone", "notes"),
    [
        (
            "30 2 * * *",
            "Europe/Berlin",
            [
                "2026-03-29: 02:30 does not exist in Europe/Berlin, runs at 03:30.",
                "2026-10-25: 02:30 happens twice in Europe/Berlin, runs once, the first time.",
            ],
        ),
        (
            "30 23 * 3 *",
            "America/Nuuk",
            [
                "2026-03-28: 23:30 does not exist in America/Nuuk, runs at 00:30 on 2026-03-29.",
            ],
        ),
        (
            "*/30 * * * *",
            "Europe/Berlin",
            [
                "2026-03-29: 02:00 to 03:00 does not exist in Europe/Berlin, goes on from 03:00.",
                "2026-10-25: 02:00 to 03:00 happens twice in Europe/Berlin, runs both times.",
            ],
        ),
        (
            "10/10 0 2 * 3 ?",
            "Europe/Berlin",
            [
                "2026-03-29: 02:00:10 does not exist in Europe/Berlin, runs at 03:00:10.",
                "2026-03-29: 02:00:20 does not exist in Europe/Berlin, runs at 03:00:20.",
                "2026-03-29: 02:00:30 does not exist in Europe/Berlin, runs at 03:00:30.",
                "2026-03-29: the same for 2 more.",
            ],
        ),
        ("30 4 * * *", "Europe/Berlin", []),
        ("30 2 1 * *", "Europe/Berlin", []),
        ("30 2 * * *", "UTC", []),
    ],
)
def test_clock_changes_of_the_next_year_are_told(cron: str, zone: str, notes: list[str]) -> None:
    assert show(cron, zone).notes == notes


def test_date_that_does_not_exist_is_told() -> None:
    shown = show("0 9 * * *", "Pacific/Apia", now=datetime(2011, 11, 1, tzinfo=UTC))

    assert "2011-12-30 does not exist in Pacific/Apia, does not run on that date." in shown.notes


def test_notes_tell_what_the_slots_do() -> None:
    spring = datetime(2026, 3, 28, 12, tzinfo=UTC)

    shown = show("30 2 * * *", "Europe/Berlin", now=spring)

    assert f"{shown.slots[0].local:%H:%M}" == "03:30"
    assert "runs at 03:30" in shown.notes[0]


@pytest.mark.parametrize("count", [0, -1, 101, 10**9])
def test_only_1_to_100_slots_are_shown(count: int) -> None:
    with pytest.raises(ValueError, match="between 1 and 100"):
        preview({"type": "manual"}, now=NEW_YEAR, count=count)


def test_senseless_schedule_has_no_preview() -> None:
    with pytest.raises(TriggerError):
        show("0 0 30 2 *")


def test_preview_near_the_end_of_time_overflows_nowhere() -> None:
    end = datetime(9998, 12, 31, 23, 59, 50, tzinfo=UTC)

    for zone in ("Pacific/Kiritimati", "Pacific/Niue"):
        shown = show("* * * * * *", zone, now=end)
        assert len(shown.slots) <= 5
        assert json.dumps([moment.local.isoformat() for moment in shown.slots])


def test_hundred_leap_days_take_no_longer_than_a_page_may() -> None:
    shown = preview({"type": "cron", "cron": "0 0 29 2 *"}, now=NEW_YEAR, count=100)

    assert shown.slots[-1].at - shown.slots[0].at > timedelta(days=396 * 365)

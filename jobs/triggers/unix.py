"""Cron as on Unix: five fields, minutes first, weekdays 0 to 7 from Sunday to Sunday.

Parsed by cronsim, with the Vixie rule: if day of month and day of week are both given, either
suffices; if one of them starts with ``*``, both must hold.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import TypeAlias

from cronsim import CronSim, CronSimError
from cronsim.cronsim import RANGES, Field

from jobs.triggers.base import TriggerError
from jobs.triggers.pattern import DayRule, Days, Pattern, Times

_ANY_DATE = datetime(2000, 1, 1)  # noqa: DTZ001  a naive place holder: only fields are parsed
_HINTS = {
    Field.MINUTE: "0-59",
    Field.HOUR: "0-23",
    Field.DAY: "1-31 or L (the last day)",
    Field.MONTH: "1-12 or JAN-DEC",
    Field.DOW: "0-7 or SUN-SAT (0 and 7 are Sunday), MON#2 (the second one), 5L (the last Friday)",
}
_NAMES = {
    Field.MINUTE: "minute",
    Field.HOUR: "hour",
    Field.DAY: "day of month",
    Field.MONTH: "month",
    Field.DOW: "day of week",
}
_STEP = re.compile(r"/(\d+)")
_STEP_OF_ONE = re.compile(r"(?:^|,)(\w+)-\1/")  # cronsim would read 5-5/2 as 5-59/2
Numbers: TypeAlias = tuple[int, ...]


def parse(fields: list[str]) -> Pattern:
    """Turn the five fields of an expression into a pattern; it may be one that never fires.

    Raises ``TriggerError`` that names the first wrong field.
    """
    minute, hour, day, month, weekday = (text.upper() for text in fields)
    times = Times(_numbers(Field.HOUR, hour), _numbers(Field.MINUTE, minute), (0,))
    return Pattern(times, Days(_day_rule(day, weekday), months=_numbers(Field.MONTH, month)))


def _numbers(field: Field, text: str) -> Numbers:
    return tuple(sorted(number for number in _parsed(field, text) if isinstance(number, int)))


def _day_rule(day: str, weekday: str) -> DayRule:
    _parsed(Field.DAY, day)
    _parsed(Field.DOW, weekday)
    return CronSim(f"0 0 {day} * {weekday}", _ANY_DATE).match_day


def _parsed(field: Field, text: str) -> set[int | tuple[int, int]]:
    try:
        parsed = field.parse(text)
    except CronSimError:
        raise _unreadable(field, text, hint=_hint(field, text)) from None
    steps = (int(step) for step in _STEP.findall(text))
    if any(step > len(RANGES[field]) for step in steps) or _STEP_OF_ONE.search(text):
        raise _unreadable(field, text, hint="Such a step never fits; use an interval instead.")
    return parsed


def _unreadable(field: Field, text: str, *, hint: str) -> TriggerError:
    message = f"{_NAMES[field]}: {text!r} cannot be read."
    return TriggerError("cron", "schedule.cron_invalid", message, hint=hint)


def _hint(field: Field, text: str) -> str:
    if "?" in text or ("W" in text and field is Field.DAY):
        return "? and W belong to the Quartz dialect, which has six fields and starts with seconds."
    forms = "*, lists (1,2), ranges (1-5, upwards) and steps (*/2)"
    return f"{_NAMES[field].capitalize()} takes {_HINTS[field]}; {forms}."

"""Cron as in Quartz: six or seven fields, seconds first, the year last, weekdays from 1 = SUN.

One of day of month and day of week is ``?`` (``*`` is taken for it). Ranges may wrap around, as
``22-2`` and ``FRI-MON`` do; only years do not.
"""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import date, datetime

from cronsim import CronSim

from jobs.triggers.base import TriggerError
from jobs.triggers.pattern import ALL_YEARS, DayRule, Days, Pattern, Times

_ANY_DATE = datetime(2000, 1, 1)  # noqa: DTZ001  a naive place holder: only fields are parsed
_UNSPECIFIED = frozenset("*?")
_SATURDAY, _SUNDAY = 5, 6  # as ``date.weekday`` counts


@dataclass(frozen=True, slots=True)
class Field:
    """The whole numbers that a field takes, with their names in order from ``low`` on."""

    name: str
    low: int
    high: int
    names: tuple[str, ...] = ()
    wraps: bool = True

    @property
    def forms(self) -> str:
        named = f" or {self.names[0]}-{self.names[-1]}" if self.names else ""
        return f"{self.low}-{self.high}{named}"


SECOND = Field("second", 0, 59)
MINUTE = Field("minute", 0, 59)
HOUR = Field("hour", 0, 23)
DAY = Field("day of month", 1, 31)
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
MONTH = Field("month", 1, 12, _MONTHS)
WEEKDAY = Field("day of week", 1, 7, ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"))
YEAR = Field("year", 1970, 2099, wraps=False)

_TERM = re.compile(r"(?:\*|(\w+)(?:-(\w+))?)(?:/(\d{1,4}))?", re.ASCII)
_SPECIAL_DAY = re.compile(r"(?:L(?:-(\d{1,2}))?|(\d{1,2})(?=W))(W?)", re.ASCII)
_SPECIAL_WEEKDAY = re.compile(r"(\w+?)(L|#[1-5])", re.ASCII)


def parse(fields: list[str]) -> Pattern:
    """Turn the six or seven fields of an expression into a pattern; it may be one that never fires.

    Raises ``TriggerError`` that names the first wrong field.
    """
    second, minute, hour, day, month, weekday, *year = (text.upper() for text in fields)
    times = Times(_numbers(HOUR, hour), _numbers(MINUTE, minute), _numbers(SECOND, second))
    years = _numbers(YEAR, year[0]) if year and year[0] != "*" else ALL_YEARS
    return Pattern(times, Days(_day_rule(day, weekday), months=_numbers(MONTH, month), years=years))


def _day_rule(day: str, weekday: str) -> DayRule:
    if day == weekday == "?":
        raise _invalid("? may stand for the day of month or the day of week, not for both.")
    if weekday in _UNSPECIFIED:
        return _rule_of_month_day("*" if day == "?" else day)
    if day in _UNSPECIFIED:
        return _rule_of_weekday(weekday)
    raise _invalid(
        "Day of month and day of week are both given, and the Quartz dialect takes only one.",
        hint="Put ? in one of them, or use five fields, where either day suffices.",
    )


def _rule_of_month_day(text: str) -> DayRule:
    special = _SPECIAL_DAY.fullmatch(text)
    if special is None:
        numbers = frozenset(_numbers(DAY, text))
        return lambda day: day.day in numbers
    before_last, number, nearest_weekday = special.groups()
    day = _number(DAY, number) if number else None
    return _SpecialDay(day, int(before_last or 0), nearest_weekday=bool(nearest_weekday)).matches


@dataclass(frozen=True, slots=True)
class _SpecialDay:
    """A day of the month, or one counted back from the last; perhaps the nearest weekday to it.

    Nearest means within the month: Saturday moves to Friday, Sunday to Monday, and at either end of
    the month the other way. A month without that day is left out.
    """

    number: int | None
    before_last: int
    nearest_weekday: bool

    def matches(self, day: date) -> bool:
        length = monthrange(day.year, day.month)[1]
        number = self.number or length - self.before_last
        if not 1 <= number <= length:
            return False
        if self.nearest_weekday:
            number += _to_weekday(day.replace(day=number), length)
        return day.day == number


def _to_weekday(day: date, length: int) -> int:
    """Days to move from ``day``, in a month of ``length`` days, to the nearest weekday."""
    if day.weekday() == _SATURDAY:
        return -1 if day.day > 1 else 2
    if day.weekday() == _SUNDAY:
        return 1 if day.day < length else -2
    return 0


def _rule_of_weekday(text: str) -> DayRule:
    terms = [term for part in text.split(",") for term in _weekday_terms(part)]
    return CronSim(f"0 0 * * {','.join(terms)}", _ANY_DATE).match_dow


def _weekday_terms(text: str) -> list[str]:
    """One term of the weekday field as terms that count from Sunday = 0."""
    if text == "L":
        return [str(WEEKDAY.high - 1)]
    special = _SPECIAL_WEEKDAY.fullmatch(text)
    if special:
        return [f"{_number(WEEKDAY, special[1]) - 1}{special[2]}"]
    return [str(number - 1) for number in _term(WEEKDAY, text)]


def _numbers(field: Field, text: str) -> tuple[int, ...]:
    return tuple(sorted({number for term in text.split(",") for number in _term(field, term)}))


def _term(field: Field, text: str) -> list[int]:
    match = _TERM.fullmatch(text)
    if match is None:
        raise _unreadable(field, text)
    first, last, step_text = match.groups()
    step = int(step_text or 1)
    if not 1 <= step <= field.high:
        raise _unreadable(field, text)

    start = _number(field, first) if first else field.low
    if last:
        return _range(field, start, _number(field, last))[::step]
    if first and not step_text:
        return [start]
    return list(range(start, field.high + 1, step))


def _range(field: Field, start: int, end: int) -> list[int]:
    if start <= end:
        return list(range(start, end + 1))
    if field.wraps:
        return [*range(start, field.high + 1), *range(field.low, end + 1)]
    raise _unreadable(field, f"{start}-{end}")


def _number(field: Field, text: str) -> int:
    if text in field.names:
        return field.names.index(text) + field.low
    if not text.isdigit() or not field.low <= int(text) <= field.high:
        raise _unreadable(field, text)
    return int(text)


def _unreadable(field: Field, text: str) -> TriggerError:
    forms = "*, lists (1,2), ranges (1-5) and steps (0/2)"
    return _invalid(
        f"{field.name}: {text!r} cannot be read.",
        hint=f"In the Quartz dialect {field.name} takes {field.forms}; {forms}.",
    )


def _invalid(message: str, *, hint: str = "") -> TriggerError:
    return TriggerError("cron", "schedule.cron_invalid", message, hint=hint)

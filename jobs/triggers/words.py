"""A trigger in plain English."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from cron_descriptor import Options, get_description
from cronsim.explain import Expression

from jobs.triggers.cron import CronTrigger, Dialect, written_out
from jobs.triggers.interval import IntervalTrigger
from jobs.triggers.once import OnceTrigger

if TYPE_CHECKING:
    from jobs.triggers.base import Trigger

_EVERY_FEW_MINUTES = re.compile(r"\*/(\d+) \* \* \* \*")
_UNITS = ((3600, "hour"), (60, "minute"), (1, "second"))


def describe(trigger: Trigger) -> str:
    """Say when ``trigger`` fires, as a sentence without a full stop; the zone is left out."""
    match trigger:
        case CronTrigger():
            return _cron(trigger)
        case IntervalTrigger():
            return _interval(int(trigger.every.total_seconds()))
        case OnceTrigger(run_at) if run_at:
            return f"Once, at {run_at:%Y-%m-%d %H:%M:%S} UTC"
    return "Only when started by hand"


def _interval(seconds: int) -> str:
    size, unit = next((size, unit) for size, unit in _UNITS if seconds % size == 0)
    number = seconds // size
    return f"Every {unit}" if number == 1 else f"Every {number} {unit}s"


def _cron(trigger: CronTrigger) -> str:
    fields = written_out(trigger.expression).upper().split()
    step = _EVERY_FEW_MINUTES.fullmatch(" ".join(fields))
    if step and 60 % int(step[1]) == 0:  # the describers say "every fifth minute"
        return _interval(60 * int(step[1]))
    if trigger.dialect is Dialect.UNIX:
        return Expression(["0", *fields]).explain()
    second, minute, hour, day, month, weekday, year = (*fields, "*")[:7]
    if _misread(day, weekday):
        return f"By the Quartz expression {trigger.expression}"
    weekday = "SAT" if weekday == "L" else weekday
    told = " ".join((second, minute, hour, day, month, weekday, year))
    return str(get_description(told, _options()))


def _misread(day: str, weekday: str) -> bool:
    """Whether the describer takes it for something else: ``L-3W``, ``2#1,4#3``, ``2L,3L``."""
    return (day.startswith("L-") and day.endswith("W")) or (
        "," in weekday and ("#" in weekday or "L" in weekday)
    )


def _options() -> Options:
    options = Options()
    options.locale_code = "en_US"  # not the language of the machine
    options.use_24hour_time_format = True
    options.day_of_week_start_index_zero = False
    return options

"""A schedule in plain English."""

from __future__ import annotations

import re
from datetime import UTC
from typing import TYPE_CHECKING, Any

from cron_descriptor import Options, get_description
from cronsim.explain import Expression

from jobs.triggers import build
from jobs.triggers.bounded import unbounded
from jobs.triggers.cron import CronTrigger, Dialect, written_out
from jobs.triggers.interval import DelayTrigger, IntervalTrigger
from jobs.triggers.once import OnceTrigger

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from jobs.triggers.base import Trigger

_EVERY_FEW_MINUTES = re.compile(r"\*/(\d+) \* \* \* \*")
_UNITS = ((3600, "hour"), (60, "minute"), (1, "second"))


def describe(schedule: Mapping[str, Any]) -> str:
    """Say when a canonical schedule fires, without a full stop; the zone is left out.

    Raises ``TriggerError`` for one that makes no sense.
    """
    return ", ".join([rule(build(schedule)), *_limits(schedule)])


def rule(trigger: Trigger) -> str:
    """Say when ``trigger`` fires apart from its bounds."""
    match unbounded(trigger):
        case CronTrigger() as cron:
            return _cron(cron)
        case IntervalTrigger(every):
            return _interval(int(every.total_seconds()))
        case DelayTrigger(every):
            return f"{_length(every.total_seconds())} after the end of the execution before"
        case OnceTrigger(run_at) if run_at:
            return f"Once, at {_instant(run_at)}"
    return "Only when started by hand"


def _limits(schedule: Mapping[str, Any]) -> Iterator[str]:
    if schedule.get("starts_at"):
        yield f"from {_instant(schedule['starts_at'])} on"
    if schedule.get("ends_at"):
        yield f"before {_instant(schedule['ends_at'])}"
    if schedule.get("max_executions"):
        number = schedule["max_executions"]
        yield "once in all" if number == 1 else f"{number} times in all"
    if schedule.get("jitter_seconds"):
        yield f"spread over {_length(schedule['jitter_seconds'])}"


def _interval(seconds: int) -> str:
    number, unit = _counted(seconds)
    return f"Every {unit}" if number == 1 else f"Every {number} {unit}s"


def _length(seconds: float) -> str:
    if seconds != int(seconds):
        return f"{seconds:g} seconds"
    number, unit = _counted(int(seconds))
    return f"{number} {unit}" if number == 1 else f"{number} {unit}s"


def _counted(seconds: int) -> tuple[int, str]:
    size, unit = next((size, unit) for size, unit in _UNITS if seconds % size == 0)
    return seconds // size, unit


def _instant(instant: datetime) -> str:
    return f"{instant.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


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

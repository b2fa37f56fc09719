"""Which names of time zones count."""

from __future__ import annotations

import difflib
import zoneinfo
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from jobs.triggers.base import TriggerError

LONGEST_NAME = 64
# They load, but mean something else on every machine.
_NOT_ZONES = frozenset({"Factory", "localtime", "posixrules"})


@cache
def names() -> frozenset[str]:
    """Every zone name that a schedule may use."""
    return frozenset(zoneinfo.available_timezones() - _NOT_ZONES)


def named(name: Any) -> ZoneInfo:
    """Return the zone called ``name``, in exactly the spelling of the tz database.

    Raises ``TriggerError``, with the nearest known name as a hint, for anything else.
    """
    if isinstance(name, str) and name in names():
        return ZoneInfo(name)
    raise TriggerError(
        "timezone",
        "schedule.timezone_unknown",
        "timezone must be the IANA name of a time zone.",
        hint=_nearest(name),
    )


def _nearest(name: Any) -> str:
    wanted = name.strip().replace(" ", "_").casefold() if isinstance(name, str) else ""
    found = _guess(wanted) if 0 < len(wanted) <= LONGEST_NAME else None
    if found is None:
        return "Names look like Europe/Berlin or UTC; an offset is not a zone."
    return f"Did you mean {found}?"


def _guess(wanted: str) -> str | None:
    """The same name in other letters, the zone of that city, or a name that looks alike."""
    known = {zone.casefold(): zone for zone in sorted(names())}
    cities = {zone.rpartition("/")[2]: zone for zone in known}
    alike = difflib.get_close_matches(wanted, known, n=1, cutoff=0.75)
    key = wanted if wanted in known else cities.get(wanted, alike[0] if alike else "")
    return known.get(key)

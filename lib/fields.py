"""Serializer fields that take a value exactly as it was sent, or refuse it; none guesses."""

from __future__ import annotations

import math
import re
import unicodedata
from datetime import UTC, datetime
from difflib import get_close_matches
from typing import Any, NoReturn

from rest_framework import serializers

from lib.faults import fault

# They turn the reading direction of what follows, so that a name can pass for another.
TURNING = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
BREAKING = frozenset(["Cc", "Cs", "Zl", "Zp"])  # controls, lone surrogates, line ends
UNSEEN = frozenset(["Cf", "Zs"])  # zero-width characters, blanks

_INSTANT = re.compile(
    r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?P<offset>[Zz]|[+-]\d\d:\d\d)?",
    re.ASCII,
)


class Text(serializers.CharField):
    """Text as it was sent: nothing is trimmed, and a number is no text."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"trim_whitespace": False} | kwargs)

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class Line(Text):
    """One line for people to read: something to see, and nothing that plays tricks."""

    def to_internal_value(self, data: Any) -> str:
        text = super().to_internal_value(data)
        kinds = {unicodedata.category(character) for character in text}
        if kinds & BREAKING or TURNING & set(text):
            raise serializers.ValidationError(
                fault(
                    "Control characters are not allowed here.",
                    "control_characters",
                    hint="Neither are line ends or what turns the reading direction.",
                )
            )
        if kinds and kinds <= UNSEEN and not self.allow_blank:
            self.fail("blank")
        if text != text.strip():
            raise serializers.ValidationError(
                fault("This text begins or ends with a blank.", "surrounding_blank")
            )
        return text


class Word(serializers.ChoiceField):
    """One of a few words; the fault lists them."""

    def fail(self, key: str, **kwargs: Any) -> NoReturn:
        if key != "invalid_choice":
            super().fail(key, **kwargs)
        known = [str(choice) for choice in self.choices]
        near = get_close_matches(str(kwargs["input"])[:100].lower(), known, n=1)
        raise serializers.ValidationError(
            fault(
                f"This must be one of {', '.join(known)}.",
                "invalid_choice",
                hint=f"Did you mean {near[0]}?" if near else "",
                allowed=known,
            )
        )


class Whole(serializers.IntegerField):
    """A whole number: 3 or 3.0, neither "3" nor true."""

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, bool) or not isinstance(data, int | float):
            self.fail("invalid")
        if isinstance(data, float) and not data.is_integer():  # infinite ones and NaN as well
            self.fail("invalid")
        return int(data)


class Number(serializers.FloatField):
    """A finite number: neither "3" nor true."""

    def to_internal_value(self, data: Any) -> float:
        if isinstance(data, bool) or not isinstance(data, int | float):
            self.fail("invalid")
        try:
            number = float(data)
        except OverflowError:
            self.fail("invalid")
        if not math.isfinite(number):
            self.fail("invalid")
        return number


class Instant(serializers.DateTimeField):
    """An RFC 3339 instant; it must say its offset, and is answered in UTC."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"default_timezone": UTC} | kwargs)

    def to_internal_value(self, data: Any) -> datetime:
        if isinstance(data, datetime):
            return data
        try:
            return parse_instant(data)
        except ValueError as exc:
            raise serializers.ValidationError(
                fault(str(exc), "instant_invalid", hint="Write it like 2027-12-25T10:00:00Z.")
            ) from exc


def parse_instant(text: Any) -> datetime:
    """Return the instant that ``text`` names, in UTC. Raises ``ValueError`` that says why not."""
    match = _INSTANT.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise ValueError("This is no instant of RFC 3339.")
    if match["offset"] is None:
        raise ValueError("This instant has no offset.")
    try:
        return datetime.fromisoformat(match[0].upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError("There is no such instant.") from None

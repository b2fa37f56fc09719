"""Serializers that take nothing silently: no unknown name, no wrong type, no hidden character."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Any

from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail
from rest_framework.utils import html

from lib.faults import fault, unknown

# DRF reads "5" as 5, 5 as "5" and "yes" as true; a JSON body has types of its own.
JSON_TYPES: list[tuple[type[serializers.Field[Any, Any, Any, Any]], tuple[type, ...], str]] = [
    (serializers.BooleanField, (bool,), "true or false"),
    (serializers.IntegerField, (int,), "a whole number"),
    (serializers.FloatField, (int, float), "a number"),
    (serializers.CharField, (str,), "text"),
    (serializers.UUIDField, (str,), "text"),
    (serializers.DateTimeField, (str,), "text"),
]
# Characters that change how the text around them is shown: bidirectional overrides and isolates.
_BIDI_CONTROLS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


class StrictSerializer(serializers.Serializer[Any]):
    """Refuses unknown and read-only fields and wrong JSON types; reports all faults at once."""

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, Mapping):
            return super().to_internal_value(data)  # which says what it wants instead

        faults = self._unknown(data) | self._wrong_types(data)
        try:
            value = super().to_internal_value(data)
        except serializers.ValidationError as exc:
            faults = (exc.detail if isinstance(exc.detail, dict) else {}) | faults
        if faults:
            raise serializers.ValidationError(faults)
        return value

    def _unknown(self, data: Mapping[str, Any]) -> dict[str, Any]:
        fields = self.fields
        faults: dict[str, Any] = {
            name: [fault("This field cannot be set.", "read_only_field")]
            for name in data
            if name in fields and fields[name].read_only
        }
        names = [name for name in data if name not in fields]
        known = [name for name, field in fields.items() if not field.read_only]
        return faults | {
            name: [detail] for name, detail in unknown(names, known, what="field").items()
        }

    def _wrong_types(self, data: Mapping[str, Any]) -> dict[str, Any]:
        if html.is_html_input(data):
            return {}  # a form has only text
        found = {
            name: _wrong_type(field, data[name])
            for name, field in self.fields.items()
            if name in data and not field.read_only
        }
        return {name: wrong for name, wrong in found.items() if wrong}


class LineField(serializers.CharField):
    """One line of text, kept exactly as it was sent: no control or bidirectional characters."""

    default_error_messages = {
        "control_character": "Line breaks and control characters are not allowed here.",
    }

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"trim_whitespace": False} | kwargs)

    def to_internal_value(self, data: Any) -> str:
        text: str = super().to_internal_value(data)
        if not self.allow_blank and not text.strip():
            self.fail("blank")
        if any(char in _BIDI_CONTROLS or _is_control(char) for char in text):
            self.fail("control_character")
        return text


def _is_control(char: str) -> bool:
    return unicodedata.category(char) in {"Cc", "Cs", "Zl", "Zp"}


def _wrong_type(field: Any, value: Any) -> list[ErrorDetail] | dict[int, list[ErrorDetail]] | None:
    """Return what is wrong with the JSON type of ``value``, for a list by the item's index."""
    if value is None:
        return None  # whether null may stand here is the field's own decision
    if isinstance(field, serializers.ListField) and isinstance(value, list):
        found = ((n, _wrong_type(field.child, item)) for n, item in enumerate(value))
        return {n: wrong for n, wrong in found if isinstance(wrong, list)} or None
    for sort, types, words in JSON_TYPES:
        if isinstance(field, sort):
            return None if _is_json(value, types) else [fault(f"This must be {words}.", "type")]
    return None


def _is_json(value: Any, types: tuple[type, ...]) -> bool:
    """Say whether ``value`` is one of ``types``. To Python true is a number, to JSON it is not."""
    return isinstance(value, types) and (bool in types or not isinstance(value, bool))

"""What the payloads of all kinds share: a name they do not know is an error, never ignored."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail

if TYPE_CHECKING:
    from collections.abc import Iterable


class Payload(serializers.Serializer[Any]):
    """Base of the payload serializers; all faults are reported at once."""

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, Mapping):
            return super().to_internal_value(data)  # which says what it wants instead

        faults: dict[str, Any] = {
            name: [_unknown_field(name, self.fields)] for name in data if name not in self.fields
        }
        try:
            value = super().to_internal_value(data)
        except serializers.ValidationError as exc:
            faults |= exc.detail if isinstance(exc.detail, dict) else {}
        if faults:
            raise serializers.ValidationError(faults)
        return value


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return `` Did you mean 'nearest'?``, or the first few of ``known`` when none is near."""
    names = sorted(known)
    near = get_close_matches(name[:100], names, n=3)
    if near:
        return f" Did you mean {' or '.join(map(repr, near))}?"
    return f" There is {', '.join(names[:10])}." if names else ""


def _unknown_field(name: str, known: Iterable[str]) -> ErrorDetail:
    return ErrorDetail(f"Unknown field.{did_you_mean(name, known)}", code="unknown_field")

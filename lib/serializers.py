"""Serializers that drop nothing silently; `lib.fields` has the fields that guess nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from lib.faults import fault, unknown


class StrictSerializer(serializers.Serializer[Any]):
    """Refuses unknown and read-only fields; reports all faults at once."""

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, Mapping):
            return super().to_internal_value(data)  # which says what it wants instead

        faults = self._unsettable(data)
        try:
            value = super().to_internal_value(data)
        except serializers.ValidationError as exc:
            faults = (exc.detail if isinstance(exc.detail, dict) else {}) | faults
        if faults:
            raise serializers.ValidationError(faults)
        return value

    def _unsettable(self, data: Mapping[str, Any]) -> dict[str, Any]:
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

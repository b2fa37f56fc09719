"""The payload over the wire: what the kind of the job makes of it."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from jobs import kinds
from lib.faults import fault

LARGEST = 2.0**63


@extend_schema_field({"type": "object", "additionalProperties": {}})
class PayloadField(serializers.JSONField):
    """An object that the kind which the serializer has read (``kind_name``) validates."""

    parent: Any
    default_error_messages = {"not_a_dict": "This is no object."}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._serializers: dict[str, serializers.Serializer[Any]] = {}

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if not isinstance(data, dict):
            self.fail("not_a_dict")
        if _has_huge_number(data):
            words = "A number is too large to be kept as it is."
            raise ValidationError(fault(words, "number_too_large", "Send it as text."))
        kind = kinds.all_kinds().get(self.parent.kind_name)
        if kind is None:
            return data  # the fault is that of ``kind``
        if kind.name not in self._serializers:  # whoever reads many jobs reads many payloads
            self._serializers[kind.name] = kind.payload()
        return dict(self._serializers[kind.name].run_validation(data))


def _has_huge_number(payload: Any) -> bool:
    """PostgreSQL writes 1e308 out as 309 digits, which is another number, and a whole one."""
    waiting = [payload]
    while waiting:
        match waiting.pop():
            case float(number) if abs(number) >= LARGEST:
                return True
            case dict(members):
                waiting.extend(members.values())
            case list(items):
                waiting.extend(items)
    return False

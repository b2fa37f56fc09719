"""Form fields for what Django has none: JSON, words and numbers between commas."""

from __future__ import annotations

from typing import Any

from django import forms
from rest_framework.exceptions import ParseError

from accounts.cells import pretty
from accounts.widgets import Textarea, TextInput
from lib import strict_json


class JsonField(forms.CharField):
    """A JSON object, shown indented."""

    widget = Textarea({"rows": 8, "class": "code", "spellcheck": "false"})

    def prepare_value(self, value: Any) -> Any:
        return value if isinstance(value, str) else pretty(value)

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        try:
            return strict_json.parse(text.encode("utf-8", "replace")) if text else {}
        except ParseError as exc:
            raise forms.ValidationError(str(exc.detail)) from exc


class WordsField(forms.CharField):
    """Words between commas."""

    widget = TextInput()

    def prepare_value(self, value: Any) -> Any:
        return value if isinstance(value, str) else ", ".join(map(str, value or []))

    def to_python(self, value: Any) -> Any:
        return [word.strip() for word in str(super().to_python(value)).split(",") if word.strip()]


class NumbersField(WordsField):
    """Numbers between commas."""

    def to_python(self, value: Any) -> Any:
        try:
            return [float(word) for word in super().to_python(value)]
        except ValueError:
            raise forms.ValidationError("Numbers between commas, please.") from None

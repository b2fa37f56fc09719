"""The theme's form widgets under plain names, so that no form knows the theme."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.admin.widgets import AutocompleteSelect
from django.core.exceptions import ValidationError
from unfold.widgets import UnfoldAdminDecimalFieldWidget as NumberInput
from unfold.widgets import UnfoldAdminIntegerFieldWidget as IntegerInput
from unfold.widgets import UnfoldAdminSelectWidget as Select
from unfold.widgets import UnfoldAdminSplitDateTimeWidget as InstantInput
from unfold.widgets import UnfoldAdminTextareaWidget as Textarea
from unfold.widgets import UnfoldAdminTextInputWidget as TextInput

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "Autocomplete",
    "InstantInput",
    "IntegerInput",
    "NumberInput",
    "Select",
    "TextInput",
    "Textarea",
]


class Autocomplete(AutocompleteSelect):
    """Finds rows while one types. Where what was sent is no id at all, it shows nothing chosen;
    Django's own widget fails there."""

    def optgroups(self, name: str, value: Sequence[str], attr: Any = None) -> Any:
        try:
            return super().optgroups(name, value, attr)
        except ValidationError:
            return super().optgroups(name, [""], attr)

"""The API as pages for people: forms that can be sent as they are filled in, plain descriptions."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from rest_framework.renderers import BrowsableAPIRenderer
from rest_framework.utils.formatting import markup_description
from rest_framework.views import get_view_description

if TYPE_CHECKING:
    from rest_framework.views import APIView


class PageRenderer(BrowsableAPIRenderer):
    """Leaves out of a form's prefilled body what says nothing; the API would refuse a null."""

    def get_raw_data_form(self, *args: Any) -> Any:
        form = super().get_raw_data_form(*args)
        field = form.fields["_content"] if form else None
        if field and field.initial:
            field.initial = json.dumps(_said(json.loads(field.initial)), indent=4)
        return form


def description(view: APIView, html: bool = False) -> str:
    """Return the docstring of ``view`` without the marks of reStructuredText."""
    text = get_view_description(view).replace("``", "")
    shown: str = markup_description(text) if html else text
    return shown


def _said(value: Any) -> Any:
    """Drop what is null or empty, also inside of objects."""
    if not isinstance(value, dict):
        return value
    pruned = {name: _said(inner) for name, inner in value.items()}
    return {name: inner for name, inner in pruned.items() if inner not in (None, "", [], {})}

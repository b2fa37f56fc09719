"""What stands in the cells of admin lists: instants, lengths of time, JSON, links to other rows."""

from __future__ import annotations

import json
from datetime import UTC, timedelta
from typing import TYPE_CHECKING, Any

from django.contrib.admin.utils import quote
from django.urls import reverse
from django.utils.html import format_html

if TYPE_CHECKING:
    from datetime import datetime

    from django.db.models import Model
    from django.utils.safestring import SafeString

EMPTY = "\N{EN DASH}"
_UNITS = ((86400, "d"), (3600, "h"), (60, "min"))


def instant(at: datetime | None) -> SafeString | str:
    """Show an instant in UTC to the second; the exact one is its title."""
    if at is None:
        return EMPTY
    at = at.astimezone(UTC)
    return format_html(
        '<time datetime="{}" title="{} UTC">{}</time>',
        at.isoformat(),
        f"{at:%Y-%m-%d %H:%M:%S.%f}",
        f"{at:%Y-%m-%d %H:%M:%S}",
    )


def length(took: timedelta | None) -> str:
    """Show a length of time in its two largest units: ``0.012 s``, ``4 min 5 s``, ``3 d 2 h``."""
    if took is None:
        return EMPTY
    seconds = took.total_seconds()
    if seconds < 60:  # noqa: PLR2004  a minute
        return f"{seconds:.3g} s"
    rest, parts = int(seconds), []
    for size, unit in (*_UNITS, (1, "s")):
        number, rest = divmod(rest, size)
        if number:
            parts.append(f"{number} {unit}")
    return " ".join(parts[:2])


def link(row: Model, text: object = None) -> SafeString:
    """Link to the admin page of ``row``, under its own name or ``text``."""
    name = f"admin:{row._meta.app_label}_{row._meta.model_name}_change"
    return format_html(
        '<a class="link" href="{}">{}</a>', reverse(name, args=[quote(row.pk)]), text or row
    )


def pretty(value: Any) -> str:
    """JSON for people: indented, keys as they came, letters as letters."""
    return json.dumps(value, indent=2, ensure_ascii=False)

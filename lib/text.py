"""Text, JSON and arrays the way PostgreSQL can store them."""

from __future__ import annotations

import json
import re
import traceback
from typing import TYPE_CHECKING, Any

from rest_framework.utils.encoders import JSONEncoder

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from uuid import UUID

# An escaped NUL, but not the text "\u0000" whose backslash is itself escaped.
_ESCAPED_NUL = re.compile(r"(?<!\\)((?:\\\\)*)\\u0000")


def storable(text: str) -> str:
    """Return ``text`` with NUL as U+FFFD and lone surrogates as ``?``."""
    return text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()


def storable_json(value: Any) -> str:
    """Return ``value`` as JSON text that jsonb accepts; dates, UUIDs and durations become text.

    Raises ``TypeError`` for a value that JSON does not know and ``ValueError`` for NaN, infinity
    and circles.
    """
    text = json.dumps(value, cls=JSONEncoder, ensure_ascii=False, allow_nan=False)
    return _ESCAPED_NUL.sub(r"\1\\ufffd", text.encode("utf-8", "replace").decode())


def in_one_line(exc: BaseException) -> str:
    """Return class and message of ``exc`` as a traceback ends with them."""
    return "".join(traceback.format_exception_only(exc)).strip()


def array(values: Iterable[UUID | datetime | int | str | None]) -> str:
    """Return an array literal of what needs no quotes.

    For many thousands of values in a statement: a driver adapts them one by one.
    """
    return "{" + ",".join(["NULL" if value is None else str(value) for value in values]) + "}"

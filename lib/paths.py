"""What the parts of a path name."""

from __future__ import annotations

from uuid import UUID

from rest_framework.exceptions import NotFound


def id_of(text: str) -> UUID:
    """Return the id that a part of a path is. Raises ``NotFound`` for text that is none."""
    try:
        return UUID(text)
    except ValueError:
        raise NotFound from None

"""``?dry_run=true``: do it, answer, and undo it."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from django.db import transaction

from lib.faults import ParameterError, fault

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rest_framework.request import Request


@contextmanager
def rehearsal(request: Request) -> Iterator[bool]:
    """Undo what the block did when ``?dry_run=true``; say whether it will."""
    answer = request.query_params.get("dry_run", "false")
    if answer not in ("true", "false"):
        words = fault(
            "This is neither true nor false.", "invalid_choice", allowed=["true", "false"]
        )
        raise ParameterError({"dry_run": [words]})
    is_dry = answer == "true"
    with transaction.atomic():
        yield is_dry
        if is_dry:
            transaction.set_rollback(True)

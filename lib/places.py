"""Faults, each with the place where it is, as an answer names them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from lib.faults import Code
from lib.text import storable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MAX_TEXT = 300  # characters of anything that may have come from the caller
_WHOLE = frozenset({"non_field_errors", "__all__"})  # faults of no single field


def faults_of(
    detail: Any, path: tuple[str, ...] = (), *, place: str = "pointer"
) -> Iterator[dict[str, Any]]:
    """Yield every fault in the detail of a DRF ``ValidationError`` below ``path``, depth first.

    ``place`` says what the keys are: fields (``pointer``), a ``parameter`` or a ``header``.
    """
    if isinstance(detail, Mapping):
        for name, below in detail.items():
            yield from faults_of(below, path if name in _WHOLE else (*path, str(name)), place=place)
    elif isinstance(detail, list | tuple):
        for number, below in enumerate(detail):
            inside = path if isinstance(below, str) else (*path, str(number))
            yield from faults_of(below, inside, place=place)
    else:
        yield _fault(detail, path, place)


def _fault(detail: Any, path: tuple[str, ...], place: str) -> dict[str, Any]:
    code = getattr(detail, "code", None) or "invalid"
    where = pointer(path) if place == "pointer" else ".".join(path)
    error: dict[str, Any] = {
        place: clipped(where),
        "code": str(code),
        "detail": clipped(str(detail)),
    }
    if isinstance(code, Code):
        error |= {"hint": clipped(code.hint)} if code.hint else {}
        error |= {"allowed": code.allowed} if code.allowed is not None else {}
    return error


def pointer(path: Sequence[str]) -> str:
    """Return ``path`` as a JSON pointer (RFC 6901); the whole document is the empty text."""
    return "".join(f"/{part.replace('~', '~0').replace('/', '~1')}" for part in path)


def clipped(text: str) -> str:
    """Bound what is sent back, and make it something that UTF-8 can carry."""
    return storable(text[:MAX_TEXT]) + ("…" if len(text) > MAX_TEXT else "")

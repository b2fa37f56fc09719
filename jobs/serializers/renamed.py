"""Faults of a canonical body, told by the names that the caller used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rest_framework.settings import api_settings

from jobs.spellings import pointer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rest_framework.exceptions import ErrorDetail

    from jobs.spellings import Canonical

OWN = api_settings.NON_FIELD_ERRORS_KEY  # where DRF keeps the faults of an object itself


def renamed(detail: Any, said: Canonical) -> dict[str, Any]:
    """Return the faults of ``said`` and of its canonical body in the shape of the caller's.

    ``detail`` is that of a ``ValidationError`` about the canonical body.
    """
    told: dict[str, Any] = {}
    for where, fault in said.faults.items():
        _put(told, where, fault)
    for path, fault in _faults(detail, ()):
        _put(told, said.called(pointer(*path)), fault)
    return {name: _as_drf_has_it(node) for name, node in told.items()}


def _faults(detail: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], ErrorDetail]]:
    if isinstance(detail, dict):
        for name, inner in detail.items():
            yield from _faults(inner, path if name == OWN else (*path, str(name)))
    elif isinstance(detail, list):
        for inner in detail:
            yield from _faults(inner, path)
    else:
        yield path, detail


def _put(told: dict[str, Any], where: str, fault: ErrorDetail) -> None:
    node = told
    for name in where.split("/")[1:]:
        node = node.setdefault(name.replace("~1", "/").replace("~0", "~"), {})
    node.setdefault(OWN, []).append(fault)


def _as_drf_has_it(node: Any) -> Any:
    if isinstance(node, list):
        return node
    if set(node) == {OWN}:
        return node[OWN]
    return {name: _as_drf_has_it(inner) for name, inner in node.items()}

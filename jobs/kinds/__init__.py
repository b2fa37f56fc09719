"""The kinds of job: each module of this package that has a ``KIND`` is one."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jobs.kinds.base import Kind


class UnknownKindError(LookupError):
    """No kind has this name; the text lists those that there are."""


@cache
def all_kinds() -> Mapping[str, Kind]:
    """Return every kind by its name, in the order of the names."""
    modules = [import_module(f"{__name__}.{found.name}") for found in iter_modules(__path__)]
    kinds: list[Kind] = [module.KIND for module in modules if hasattr(module, "KIND")]
    return MappingProxyType({kind.name: kind for kind in sorted(kinds, key=lambda k: k.name)})


def get(name: str) -> Kind:
    """Return the kind called ``name``. Raises ``UnknownKindError``."""
    try:
        return all_kinds()[name]
    except KeyError:
        known = ", ".join(all_kinds())
        raise UnknownKindError(f"There is no kind {name!r}; there are {known}.") from None


def choices() -> list[tuple[str, str]]:
    """Return name and label of every kind, as a model field wants them."""
    return [(kind.name, kind.label) for kind in all_kinds().values()]

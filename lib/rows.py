"""Objects out of the rows of a statement that is written by hand and joins several tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Sequence

M = TypeVar("M", bound=Any)


class Columns(Generic[M]):
    """The columns of one model where its table is called ``alias``; ``sql`` lists them.

    The ORM takes longer to write a statement with joins than PostgreSQL takes to answer it. So
    what every request asks is written once; for anything else ask the ORM.
    """

    def __init__(self, model: type[M], alias: str) -> None:
        self._model = model
        fields = model._meta.concrete_fields
        self._names = [field.attname for field in fields]
        self._key = self._names.index(model._meta.pk.attname)
        self._loaders = [
            (place, field.from_db_value)
            for place, field in enumerate(fields)
            if hasattr(field, "from_db_value")
        ]
        self.sql = ", ".join(f'"{alias}"."{field.column}"' for field in fields)

    def take(self, values: Sequence[Any], start: int = 0) -> tuple[M | None, int]:
        """Make an object of the values from ``start`` on; return it and where the next one begins.

        ``None`` stands for a row that an outer join did not find.
        """
        end = start + len(self._names)
        own = list(values[start:end])
        if own[self._key] is None:
            return None, end
        for place, load in self._loaders:
            own[place] = load(own[place], None, None)
        return self._model.from_db("default", self._names, own), end

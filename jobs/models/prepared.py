"""Questions that a loop asks again and again: their SQL is built once.

Building it costs a beat several times what asking it does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

from django.db import DEFAULT_DB_ALIAS, connection, models
from django.db.models.base import ModelState

M = TypeVar("M", bound=models.Model)

_NOW = datetime(1, 1, 1, tzinfo=UTC)  # stands for the moment; no filter of ours names this one


class Prepared(Generic[M]):
    """What ``rows`` returns for any moment. Nothing but the moment may vary in it.

    A question that locks must be asked in a transaction.
    """

    def __init__(self, rows: Callable[[datetime], models.QuerySet[M, Any]]) -> None:
        self._rows = rows
        self._built: tuple[str, tuple[Any, ...]] | None = None

    def tuples(self, now: datetime) -> list[tuple[Any, ...]]:
        """Return what ``values_list`` asked for."""
        if self._built is None:
            self._built = self._rows(_NOW).query.sql_with_params()
        sql, values = self._built
        with connection.cursor() as cursor:
            cursor.execute(sql, [now if value == _NOW else value for value in values])
            found: list[tuple[Any, ...]] = cursor.fetchall()
            return found

    def models(self, now: datetime) -> list[M]:
        """Return whole rows of the model.

        As Django makes them, but for the signals, which nobody listens to, and for setting each
        field by its descriptor: that would be most of the work for a thousand rows.
        """
        model = self._rows(_NOW).model
        names = [field.attname for field in model._meta.concrete_fields]
        return [_loaded(model, zip(names, row, strict=True)) for row in self.tuples(now)]


def _loaded(model: type[M], values: Iterable[tuple[str, Any]]) -> M:
    row = model.__new__(model)
    row._state = ModelState()
    row._state.db, row._state.adding = DEFAULT_DB_ALIAS, False
    row.__dict__.update(values)
    return row

"""Questions that a loop asks again and again: their SQL is built once.

Building it costs a beat several times what asking it does.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from itertools import product
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
        fields = model._meta.concrete_fields
        names = [field.attname for field in fields]
        documents = [field.attname for field in fields if isinstance(field, models.JSONField)]
        rows = [loaded(model, zip(names, row, strict=True)) for row in self.tuples(now)]
        for row, name in product(rows, documents):
            row.__dict__[name] = json.loads(row.__dict__[name] or "null")
        return rows


def loaded(model: type[M], values: Iterable[tuple[str, Any]]) -> M:
    """Make a row of ``model`` of columns by their names, as they are in Python.

    Those that are missing cost a query each when they are asked for.
    """
    row = model.__new__(model)
    row._state = ModelState()
    row._state.db, row._state.adding = DEFAULT_DB_ALIAS, False
    row.__dict__.update(values)
    return row

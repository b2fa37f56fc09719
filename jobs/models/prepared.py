"""What is asked again and again: its SQL is built once, and planned once.

Building it costs a beat several times what asking it does, and so does planning it the server.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from functools import cached_property
from itertools import product
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from django.db import DEFAULT_DB_ALIAS, connection, connections, models
from django.db.models.base import ModelState

if TYPE_CHECKING:
    from django.db.backends.utils import CursorWrapper

M = TypeVar("M", bound=models.Model)

_NOW = datetime(1, 1, 1, tzinfo=UTC)  # stands for the moment; no filter of ours names this one


class Prepared(Generic[M]):
    """What ``rows`` returns for any moment. Nothing but the moment may vary in it.

    A question that locks must be asked in a transaction.
    """

    def __init__(self, rows: Callable[[datetime], models.QuerySet[M, Any]]) -> None:
        self._rows = rows

    @cached_property
    def _built(self) -> tuple[type[M], str, tuple[Any, ...]]:
        rows = self._rows(_NOW)
        return (rows.model, *rows.query.sql_with_params())

    @cached_property
    def _columns(self) -> tuple[list[str], list[str]]:
        """The names of all columns, and of those that hold JSON."""
        fields = self._built[0]._meta.concrete_fields
        documents = [field.attname for field in fields if isinstance(field, models.JSONField)]
        return [field.attname for field in fields], documents

    def tuples(self, now: datetime) -> list[tuple[Any, ...]]:
        """Return what ``values_list`` asked for."""
        _, sql, values = self._built
        with prepared_cursor() as cursor:
            cursor.execute(sql, [now if value == _NOW else value for value in values])
            found: list[tuple[Any, ...]] = cursor.fetchall()
            return found

    def models(self, now: datetime) -> list[M]:
        """Return whole rows of the model.

        As Django makes them, but for the signals, which nobody listens to, and for setting each
        field by its descriptor: that would be most of the work for a thousand rows.
        """
        names, documents = self._columns
        model = self._built[0]
        rows = [loaded(model, zip(names, row, strict=True)) for row in self.tuples(now)]
        for row, name in product(rows, documents):
            row.__dict__[name] = json.loads(row.__dict__[name] or "null")
        return rows


def prepared_cursor() -> CursorWrapper:
    """Return a cursor whose statements the server plans once a connection, not at each execution.

    For the few that are executed often and that somebody waits for. A plan that was made when a
    table was small stays when it grows: a statement is fit for this if it finds rows by their key
    or in an index of what is unfinished, or if who executes it calls ``plan_anew`` now and then. It
    must name the columns that it returns, of which a migration may add some.
    """
    own: Any = connections[DEFAULT_DB_ALIAS]  # of our own backend
    cursor: CursorWrapper = own.prepared_cursor()
    return cursor


def plan_anew() -> None:
    """Let the server make the plans of this connection anew, when they are next needed."""
    with connection.cursor() as cursor:
        cursor.execute("DISCARD PLANS")


def loaded(model: type[M], values: Iterable[tuple[str, Any]]) -> M:
    """Make a row of ``model`` of columns by their names, as they are in Python.

    Those that are missing cost a query each when they are asked for.
    """
    row = model.__new__(model)
    row._state = ModelState()
    row._state.db, row._state.adding = DEFAULT_DB_ALIAS, False
    row.__dict__.update(values)
    return row

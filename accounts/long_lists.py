"""Admin lists whose pages cost the same however many rows there are."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from django.contrib.admin.views.main import ChangeList
from django.core.paginator import Paginator

if TYPE_CHECKING:
    from django.db import models
    from django.http import HttpRequest

EXACT = 10_000  # rows; a list counts so far and pages so deep


class Capped(int):
    """A number of rows that was not counted to its end, and says so."""

    def __str__(self) -> str:
        return f"{int(self):,}+".replace(",", "\N{NO-BREAK SPACE}")


class CappedPaginator(Paginator[Any]):
    """Counts up to ``EXACT`` rows and offers no page beyond them; filters reach the rest."""

    object_list: models.QuerySet[Any]

    @cached_property
    def count(self) -> int:
        rows = self.object_list.order_by().values("pk")[: EXACT + 1].count()
        return Capped(EXACT) if rows > EXACT else rows


class CappedChangeList(ChangeList):
    """Reads no more of a row than the list shows.

    Offers "show all" only where a filter or a search hides something.
    """

    def apply_select_related(self, qs: models.QuerySet[Any]) -> models.QuerySet[Any]:
        return super().apply_select_related(qs).defer(*getattr(self.model_admin, "list_defer", ()))

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        if not self.query and not self.has_active_filters:
            self.full_result_count = self.result_count

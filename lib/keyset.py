"""Pages of a long list that go on after a row, so that the last costs what the first does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param

from lib.faults import ParameterError, fault
from lib.pagination import PagePagination, read

if TYPE_CHECKING:
    from rest_framework.request import Request
    from rest_framework.views import APIView


class KeysetPagination(PagePagination):
    """Pages by number, as they are everywhere, and ``?cursor=…&limit=…`` to go on for ever.

    For views whose ``filterset`` reads ``cursor`` like any filter, makes one (``cursor_after`` a
    row's id), and may say that it has searched no further than the row ``searched_to``: then a
    page may be short, even empty, and still have a ``next_cursor``. A page after a cursor is not
    counted.
    """

    next_cursor: str | None
    by_cursor: bool

    def paginate_queryset(
        self, queryset: Any, request: Request, view: APIView | None = None
    ) -> list[Any]:
        filterset = getattr(view, "filterset", None)
        assert filterset is not None  # noqa: S101  views with these pages have filters
        self.by_cursor = "cursor" in request.query_params
        if self.by_cursor and "page" in request.query_params:
            message = "Say either a page or a cursor."
            raise ParameterError({"page": [fault(message, "page_and_cursor")]})
        if self.by_cursor:
            rows, more = self._rows_after(queryset, request)
        else:
            rows = super().paginate_queryset(queryset, request, view)
            more = self.count_capped or (self.page - 1) * self.limit + len(rows) < self.count
            self.count_capped = self.count_capped or filterset.searched_to is not None
        last = rows[-1].pk if rows and more else filterset.searched_to
        self.next_cursor = filterset.cursor_after(last) if last else None
        return rows

    def _rows_after(self, queryset: Any, request: Request) -> tuple[list[Any], bool]:
        """Return a page and whether it is followed by another one."""
        self.request, (_, self.limit) = request, read(request)
        found = list(queryset[: self.limit + 1])
        return found[: self.limit], len(found) > self.limit

    def get_paginated_response(self, data: Any) -> Response:
        if not self.by_cursor:
            response = super().get_paginated_response(data)
            response.data["next_cursor"] = self.next_cursor
            return response
        here = self.request.build_absolute_uri()
        following = replace_query_param(here, "cursor", self.next_cursor)
        body = {
            "count": None,
            "count_capped": False,
            "page": None,
            "limit": self.limit,
            "next": following if self.next_cursor else None,
            "previous": None,
            "next_cursor": self.next_cursor,
            "results": data,
        }
        return Response(
            body, headers={"Link": f'<{following}>; rel="next"'} if body["next"] else {}
        )

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        described = super().get_paginated_response_schema(schema)
        for name in ("count", "page"):
            described["properties"][name] |= {"type": ["integer", "null"]}
        return described

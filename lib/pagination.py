"""Pages of a list, by number, with a count that stays cheap."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from rest_framework.pagination import BasePagination
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param

from lib.faults import ParameterError, fault

if TYPE_CHECKING:
    from rest_framework.request import Request
    from rest_framework.views import APIView

DEFAULT_LIMIT = 20
MAX_LIMIT = 100
MAX_ROWS = 10_000  # rows that are counted, and how deep pages go
_NUMBER = re.compile(r"[0-9]{1,9}", re.ASCII)


class PagePagination(BasePagination):
    """``?page=1&limit=20``: at most 100 a page and 10 000 rows deep.

    ``count`` is exact up to 10 000; beyond that it says 10 000 and ``count_capped`` is true, so
    that a list of millions costs no more than one of thousands.
    """

    parameters = ("page", "limit")

    page: int
    limit: int
    count: int
    count_capped: bool
    request: Request

    def paginate_queryset(
        self, queryset: Any, request: Request, view: APIView | None = None
    ) -> list[Any]:
        self.request = request
        self.page, self.limit = read(request)
        start = (self.page - 1) * self.limit
        self.count, self.count_capped = _count(queryset)
        return list(queryset[start : start + self.limit])

    def get_paginated_response(self, data: Any) -> Response:
        links = {"next": self._link(self.page + 1), "prev": self._link(self.page - 1)}
        body = {
            "count": self.count,
            "count_capped": self.count_capped,
            "page": self.page,
            "limit": self.limit,
            "next": links["next"],
            "previous": links["prev"],
            "next_cursor": None,
            "results": data,
        }
        header = ", ".join(f'<{url}>; rel="{rel}"' for rel, url in links.items() if url)
        return Response(body, headers={"Link": header} if header else {})

    def get_results(self, data: Any) -> Any:
        return data["results"]

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        """Say in OpenAPI what ``get_paginated_response`` answers."""
        link = {"type": ["string", "null"], "format": "uri"}
        properties = {
            "count": {"type": "integer", "maximum": MAX_ROWS, "example": 1},
            "count_capped": {"type": "boolean", "description": "there are more than `count`"},
            "page": {"type": "integer", "minimum": 1},
            "limit": {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT},
            "next": link,
            "previous": link,
            "next_cursor": {"type": ["string", "null"]},
            "results": schema,
        }
        return {"type": "object", "required": list(properties), "properties": properties}

    def get_schema_operation_parameters(self, view: APIView) -> list[dict[str, Any]]:
        """Say in OpenAPI which parameters choose the page."""
        return [
            _parameter("page", {"type": "integer", "minimum": 1, "default": 1}),
            _parameter(
                "limit",
                {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT},
            ),
        ]

    def _link(self, page: int) -> str | None:
        """Return the address of ``page``, or ``None`` if there is no such page to go to."""
        first_row = (page - 1) * self.limit
        if (
            page < 1
            or page * self.limit > MAX_ROWS
            or (page > self.page and first_row >= self.count)
        ):
            return None
        return replace_query_param(self.request.build_absolute_uri(), "page", str(page))


def _parameter(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": False, "schema": schema}


def read(request: Request) -> tuple[int, int]:
    """Return which page is asked for and how long. Raises ``ParameterError`` with all faults."""
    faults: dict[str, Any] = {}
    values: dict[str, int] = {}
    for name, default, most in (("page", 1, MAX_ROWS), ("limit", DEFAULT_LIMIT, MAX_LIMIT)):
        text = request.query_params.get(name, str(default))
        values[name] = int(text) if _NUMBER.fullmatch(text) else 0
        if not 1 <= values[name] <= most:
            message = f"This must be a whole number from 1 to {most}."
            faults[name] = [fault(message, f"{name}_invalid")]
    if not faults and values["page"] * values["limit"] > MAX_ROWS:
        hint = "Narrow the list with filters instead."
        message = f"Pages go {MAX_ROWS} rows deep."
        faults["page"] = [fault(message, "page_too_deep", hint)]
    if faults:
        raise ParameterError(faults)
    return values["page"], values["limit"]


def _count(queryset: Any) -> tuple[int, bool]:
    """Count at most ``MAX_ROWS`` rows; say whether there are more."""
    if isinstance(queryset, list):
        found = len(queryset)
    else:
        found = queryset.order_by()[: MAX_ROWS + 1].count()  # SELECT count(*) FROM (… LIMIT …)
    return min(found, MAX_ROWS), found > MAX_ROWS

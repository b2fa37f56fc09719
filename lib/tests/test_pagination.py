"""Rules of `lib.pagination`, over a list; how rows are counted stands with the database."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.request import Request
from rest_framework.test import APIRequestFactory

from lib.faults import ParameterError
from lib.pagination import PagePagination


def page(rows: int, query: str = "") -> Any:
    """Return the answer for a list of ``rows`` numbers."""
    request = Request(APIRequestFactory().get(f"/things?colour=red&{query}"))
    pages = PagePagination()
    return pages.get_paginated_response(pages.paginate_queryset(list(range(rows)), request))


def test_without_parameters_the_first_twenty_are_shown() -> None:
    body = page(45).data

    assert body["results"] == list(range(20))
    assert (body["count"], body["page"], body["limit"]) == (45, 1, 20)
    assert body["count_capped"] is False


def test_the_body_has_exactly_these_members() -> None:
    assert set(page(0).data) == {
        "count",
        "count_capped",
        "page",
        "limit",
        "next",
        "previous",
        "next_cursor",
        "results",
    }


def test_links_lead_back_and_forth_and_keep_the_filters() -> None:
    answer = page(45, "page=2&limit=20")

    assert answer.data["next"] == "http://testserver/things?colour=red&limit=20&page=3"
    assert answer.data["previous"] == "http://testserver/things?colour=red&limit=20&page=1"
    assert answer["Link"] == (
        f'<{answer.data["next"]}>; rel="next", <{answer.data["previous"]}>; rel="prev"'
    )


@pytest.mark.parametrize(("rows", "query"), [(0, ""), (20, ""), (40, "page=2"), (5, "limit=5")])
def test_the_last_page_has_no_next(rows: int, query: str) -> None:
    assert page(rows, query).data["next"] is None


def test_beyond_the_end_is_an_empty_page() -> None:
    body = page(5, "page=7").data

    assert body["results"] == []
    assert body["next"] is None


def test_following_next_shows_everything_once() -> None:
    seen: list[int] = []
    query: str | None = "limit=7"
    while query:
        body = page(45, query).data
        seen += body["results"]
        query = body["next"] and body["next"].partition("?")[2]

    assert seen == list(range(45))


def test_the_count_ends_at_ten_thousand() -> None:
    exact, capped = page(10_000).data, page(10_001).data

    assert (exact["count"], exact["count_capped"]) == (10_000, False)
    assert (capped["count"], capped["count_capped"]) == (10_000, True)


def test_pages_go_ten_thousand_rows_deep() -> None:
    last = page(20_000, "page=100&limit=100").data

    assert last["results"][-1] == 9_999
    assert last["next"] is None
    with pytest.raises(ParameterError) as caught:
        page(20_000, "page=101&limit=100")
    assert caught.value.get_codes() == {"page": ["page_too_deep"]}


BAD = [
    "0",
    "-1",
    "1000000000",
    "9" * 5000,
    "",
    "x",
    "1.0",
    "1e1",
    " 1",
    "+1",
    "٣",
    "²",
    "0x10",
    "null",
]


@pytest.mark.parametrize("text", BAD)
@pytest.mark.parametrize("name", ["page", "limit"])
def test_what_is_no_number_of_a_page_is_refused(name: str, text: str) -> None:
    with pytest.raises(ParameterError) as caught:
        page(45, f"{name}={text.replace('+', '%2B')}")

    assert caught.value.get_codes() == {name: [f"{name}_invalid"]}


def test_a_page_has_at_most_a_hundred_rows() -> None:
    assert len(page(500, "limit=100").data["results"]) == 100
    with pytest.raises(ParameterError):
        page(500, "limit=101")


def test_both_faults_are_reported_at_once() -> None:
    with pytest.raises(ParameterError) as caught:
        page(45, "page=0&limit=0")

    assert set(caught.value.get_codes()) == {"page", "limit"}  # type: ignore[arg-type]  # a dict

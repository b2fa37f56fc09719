"""Slugs: what a name becomes, and what may stand in a URL beside ids."""

from __future__ import annotations

import pytest

from jobs import slugs

A_UUID = "0190a2f4-0000-7000-8000-000000000000"


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Weekly Newsletter", "weekly-newsletter"),
        ("\u00c9t\u00e9 \u00e0 Paris", "ete-a-paris"),
        ("  --  ", "job"),
        ("\u65e5\u672c\u8a9e", "job"),
        ("by slug", "job-by-slug"),
        ("a_b__c", "a-b-c"),
        ("x" * 200, "x" * 80),
        ("y" * 79 + " z", "y" * 79),
        (A_UUID, f"job-{A_UUID}"),
        (A_UUID.upper(), f"job-{A_UUID}"),
        ("<script>", "script"),
        ("", "job"),
    ],
)
def test_a_name_makes_a_slug(name: str, slug: str) -> None:
    assert slugs.of_name(name) == slug
    assert slugs.is_valid(slug)


@pytest.mark.parametrize("slug", ["a", "1", "a-b", "x" * 80, "job-2", "0190a2f4"])
def test_such_a_slug_is_fine(slug: str) -> None:
    assert slugs.is_valid(slug)


@pytest.mark.parametrize(
    "slug",
    ["", "A", "a_b", "a--b", "-a", "a-", "a b", "a\n", "a\x00", "\u00e4", "\u0430", "x" * 81, "a/b",
     "by-slug", A_UUID],
)  # fmt: skip
def test_such_a_slug_is_refused(slug: str) -> None:
    assert not slugs.is_valid(slug)


@pytest.mark.parametrize(
    ("slug", "taken", "free"),
    [
        ("report", [], "report"),
        ("report", ["report"], "report-2"),
        ("report", ["report", "report-2", "report-4"], "report-3"),
        ("report", ["report-2"], "report"),
        ("x" * 80, ["x" * 80], "x" * 78 + "-2"),
        ("y" * 77 + "-zz", ["y" * 77 + "-zz"], "y" * 77 + "-2"),
    ],
)
def test_the_first_free_number_follows_the_slug(slug: str, taken: list[str], free: str) -> None:
    assert slugs.free(slug, taken) == free
    assert slugs.is_valid(free)

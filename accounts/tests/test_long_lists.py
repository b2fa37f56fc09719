"""Lists whose pages cost the same however many rows there are."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from accounts import long_lists
from accounts.models import Team
from tests.factories import TeamFactory, UserFactory

pytestmark = pytest.mark.django_db

TEAMS = "/admin/accounts/team/"


@pytest.fixture(autouse=True)
def teams(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Six teams, of which a list counts four."""
    monkeypatch.setattr(long_lists, "EXACT", 4)
    client.force_login(UserFactory.create(is_staff=True, is_superuser=True))
    TeamFactory.create_batch(5)


def test_a_list_is_counted_up_to_a_limit_and_says_so(client: Client) -> None:
    assert " 4+" in " ".join(client.get(TEAMS).content.decode().split())


def test_a_short_list_is_counted_exactly(client: Client) -> None:
    Team.objects.filter(personal_of=None).first().delete()  # type: ignore[union-attr]
    Team.objects.filter(personal_of=None).first().delete()  # type: ignore[union-attr]

    assert "4 teams" in " ".join(client.get(TEAMS).content.decode().split())


def test_thousands_are_set_apart() -> None:
    assert str(long_lists.Capped(10_000)) == "10\N{NO-BREAK SPACE}000+"


def test_no_page_lies_beyond_the_limit(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("accounts.admin.TeamAdmin.list_per_page", 2)

    assert len(client.get(TEAMS, {"p": "2"}).context["cl"].result_list) == 2
    assert client.get(TEAMS, {"p": "3"}).headers["Location"] == f"{TEAMS}?e=1"


def test_the_count_reads_no_more_than_the_limit(
    client: Client, django_assert_num_queries: Any
) -> None:
    paginator = long_lists.CappedPaginator(Team.objects.all(), 2)

    with django_assert_num_queries(1) as queries:
        assert paginator.count == 4

    assert "LIMIT 5" in queries.captured_queries[0]["sql"]

"""How `lib.pagination` and `lib.filters` treat rows: in a view with filters, over a real table."""

from __future__ import annotations

from typing import Any, ClassVar

import django_filters
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework import serializers
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.permissions import AllowAny
from rest_framework.response import Response
from rest_framework.test import APIRequestFactory
from rest_framework.views import APIView
from rest_framework.viewsets import GenericViewSet

from accounts.models import Team
from lib.filters import StrictFilterBackend, StrictParameters
from tests.factories import TeamFactory

pytestmark = pytest.mark.django_db


class TeamFilter(django_filters.FilterSet):
    name = django_filters.CharFilter()
    created_after = django_filters.IsoDateTimeFilter("created_at", "gte")


class TeamSerializer(serializers.ModelSerializer[Team]):
    class Meta:
        model = Team
        fields = ["name"]


class TeamViewSet(StrictParameters, ListModelMixin, RetrieveModelMixin, GenericViewSet[Team]):
    queryset = Team.objects.order_by("name")
    serializer_class = TeamSerializer
    permission_classes = [AllowAny]
    filter_backends = [StrictFilterBackend]
    filterset_class = TeamFilter
    parameters: ClassVar[dict[str, list[str]]] = {"retrieve": ["wait"]}


class PlainView(StrictParameters, APIView):
    permission_classes = [AllowAny]
    parameters = ["key"]

    def get(self, request: Any) -> Response:
        return Response({})


def get_list(query: str = "") -> Any:
    return TeamViewSet.as_view({"get": "list"})(APIRequestFactory().get(f"/teams?{query}"))


def get_one(team: Team, query: str = "") -> Any:
    view = TeamViewSet.as_view({"get": "retrieve"})
    return view(APIRequestFactory().get(f"/teams/x?{query}"), pk=team.pk)


def faults(answer: Any) -> dict[str, str]:
    assert answer.status_code == 400
    return {error["parameter"]: error["code"] for error in answer.data["errors"]}


def test_a_count_looks_at_ten_thousand_rows_and_one() -> None:
    Team.objects.bulk_create([Team(name=f"{n:05}") for n in range(10_005)])

    with CaptureQueriesContext(
        connection,
    ) as queries:
        body = get_list("page=2&limit=3").data

    assert (body["count"], body["count_capped"]) == (10_000, True)
    assert [row["name"] for row in body["results"]] == ["00003", "00004", "00005"]
    assert len(queries) == 2
    assert "LIMIT 10001" in queries[0]["sql"]
    assert "ORDER BY" not in queries[0]["sql"]


def test_a_list_knows_its_filters_and_its_pages() -> None:
    TeamFactory.create(name="a")
    TeamFactory.create(name="b")

    body = get_list("name=a&page=1&limit=5&format=json").data

    assert [row["name"] for row in body["results"]] == ["a"]


def test_a_parameter_that_nobody_reads_is_a_400_with_the_nearest_name() -> None:
    answer = get_list("nmae=a&limt=3&wait=1")

    assert faults(answer) == dict.fromkeys(["nmae", "limt", "wait"], "unknown_parameter")
    assert answer.data["errors"][0]["hint"] == "Did you mean 'name'?"
    assert "created_after" in answer.data["errors"][0]["allowed"]


def test_a_filter_that_cannot_be_read_is_a_fault_of_its_parameter() -> None:
    assert faults(get_list("created_after=yesterday")) == {"created_after": "invalid"}


def test_one_object_is_not_filtered_or_paged() -> None:
    team = TeamFactory.create(name="a")

    assert get_one(team, "wait=1").status_code == 200
    assert faults(get_one(team, "name=b&page=2")) == dict.fromkeys(
        ["name", "page"], "unknown_parameter"
    )


def test_a_plain_view_knows_what_it_names() -> None:
    view = PlainView.as_view()

    assert view(APIRequestFactory().get("/x?key=1")).status_code == 200
    assert faults(view(APIRequestFactory().get("/x?kye=1"))) == {"kye": "unknown_parameter"}

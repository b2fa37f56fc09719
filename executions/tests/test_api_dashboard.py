"""The numbers of the dashboard over the API."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from executions.models import Status
from executions.tests.callers import API, caller
from tests.factories import ExecutionFactory

pytestmark = pytest.mark.django_db

STATS = f"{API}/dashboard/stats"


def test_the_numbers_are_those_of_the_caller_s_team() -> None:
    ann = caller()
    ann.execution(status=Status.RUNNING)
    ExecutionFactory.create(status=Status.RUNNING)

    told = ann.client.get(STATS).json()

    assert (told["active"], told["waiting"], told["dead"]) == (1, 0, 0)
    assert told["verdict"]["code"] == "no_scheduler"
    assert [line["name"] for line in told["queues"]] == ["default"]
    assert told["rates"] == {
        "completed_per_minute": 0.0,
        "failed_per_minute": 0.0,
        "success": None,
    }
    assert told["as_of"].endswith("Z")


def test_the_number_of_queries_does_not_grow() -> None:
    ann = caller()

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert ann.client.get(STATS).status_code == 200
        return len(captured)

    few = queries()
    for queue in ["a", "b", "c"]:
        ann.execution(queue=queue, status=Status.FAILED)

    assert queries() == few <= 9

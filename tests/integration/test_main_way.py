"""The main job, end to end: somebody registers, makes a job, and sees it run on a real worker."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.test import Client
from django_celery_results.models import TaskResult

from lib import egress
from tests.factories import PASSWORD
from tests.stack import Stack
from tests.target import Target
from tests.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.django_db(transaction=True)


LOOPBACK = "127.0.0.0/8"


@pytest.fixture
def loopback() -> Iterator[None]:
    """Let this process, too, believe that HTTP jobs may call the test's target."""
    egress.configure(allow_private=[LOOPBACK])
    yield
    egress.configure(allow_private=[])


class Person:
    """Somebody with a token, who talks JSON."""

    def __init__(self, email: str) -> None:
        self._client = Client()
        self._headers: dict[str, str] = {}
        answer = self.post("/api/v1/auth/register", {"email": email, "password": PASSWORD}, 201)
        self._headers = {"Authorization": f"Bearer {answer['access']}"}

    def get(self, path: str) -> Any:
        answer = self._client.get(path, headers=self._headers)
        assert answer.status_code == 200, answer.content
        return answer.json()

    def post(self, path: str, body: Any, status: int) -> Any:
        answer = self._client.post(
            path, body, content_type="application/json", headers=self._headers
        )
        assert answer.status_code == status, answer.content
        return answer.json()


@pytest.mark.usefixtures("loopback")
def test_a_recurring_http_job_runs_and_is_seen_everywhere() -> None:
    with Target() as target, Stack({"CHRONOS_HTTP_ALLOW_PRIVATE": LOOPBACK}) as stack:
        ann = Person("ann@example.org")
        job = ann.post(
            "/api/v1/jobs",
            {
                "name": "Daily report",
                "kind": "http",
                "payload": {"url": f"{target.url}/report", "method": "POST"},
                "schedule": {"type": "cron", "cron": "* * * * * *"},
            },
            201,
        )
        stack.beat("beat-1")
        stack.worker("io")

        eventually(lambda: len(target.hits) >= 3, within=20)
        page = ann.get(f"/api/v1/jobs/{job['id']}/executions?limit=100")
        done = [one for one in page["results"] if one["status"] == "succeeded"]
        execution = ann.get(f"/api/v1/executions/{done[-1]['id']}")
        logs = ann.get(f"/api/v1/executions/{execution['id']}/logs")
        row = TaskResult.objects.get(task_id=f"{execution['id']}-1")

        assert len(job["next_runs"]) == 5
        assert execution["result"]["status_code"] == 200
        assert execution["attempts"][0]["outcome"] == "succeeded"
        assert "200 in" in logs["results"][0]["text"]
        assert (row.status, row.periodic_task_name) == ("SUCCESS", "Daily report")
        assert target.hits[0].headers["X-Chronos-Job-Id"] == job["id"]


def test_a_failing_function_heals_on_its_second_try() -> None:
    with Stack() as stack:
        ann = Person("ann@example.org")
        body = {
            "name": "Heals",
            "kind": "python",
            "payload": {"function": "newsletter.flaky"},
            "schedule": {"type": "manual"},
            "retry": {"max_attempts": 3, "strategy": "fixed", "base_seconds": 1},
        }
        job = ann.post("/api/v1/jobs", body, 201)
        stack.beat("beat-1")
        stack.worker("compute")

        execution = ann.post(f"/api/v1/jobs/{job['id']}/execute", {}, 202)
        path = f"/api/v1/executions/{execution['id']}"
        eventually(lambda: ann.get(path)["status"] == "succeeded", within=30)

        attempts = ann.get(path)["attempts"]
        assert [one["outcome"] for one in attempts] == ["failed", "succeeded"]

"""Redis is gone, silent, full or read-only: the API accepts and stores, and waits for nobody."""

from __future__ import annotations

import contextlib
import signal
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from django.utils import timezone

from accounts import tokens
from executions import bell
from executions.models import Execution
from tests.crash.infrastructure import servers
from tests.factories import JobFactory, UserFactory
from tests.waiting import eventually
from tests.web import Reply, Web

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from accounts.models import User

pytestmark = pytest.mark.crash

ANSWER_SECONDS = 2.0
API = "/api/v1"
STARTS = 8


class Client(NamedTuple):
    web: Web
    user: User
    bearer: dict[str, str]

    def ask(self, request: tuple[str, str, Any]) -> Reply:
        return self.web.ask(*request, headers=self.bearer)

    def requests(self, job: object) -> list[tuple[str, str, Any]]:
        """All that tells the beats or a worker of something."""
        return [
            *[("POST", f"{API}/jobs/{job}/execute", {})] * STARTS,
            (
                "POST",
                f"{API}/jobs",
                {"name": "Report", "schedule": {"type": "cron", "cron": "* * * * *"}},
            ),
            ("PATCH", f"{API}/jobs/{job}", {"schedule": {"type": "interval", "every_seconds": 60}}),
            ("POST", "/run", {}),
        ]


@pytest.fixture(scope="module")
def client(transactional_db: None) -> Iterator[Client]:
    user = UserFactory.create()
    bearer = {"Authorization": f"Bearer {tokens.sign_in(user, timezone.now()).access}"}
    with Web() as web:
        made = Client(web, user, bearer)
        eventually(lambda: made.ask(("GET", f"{API}/jobs", None)).is_good, within=10)
        yield made


@contextlib.contextmanager
def silent() -> Iterator[None]:
    with servers.redis_server().frozen():
        yield


@contextlib.contextmanager
def killed() -> Iterator[None]:
    server = servers.redis_server()
    server.end(signal.SIGKILL)
    yield
    server.start()


@contextlib.contextmanager
def _configured(setting: str, bad: int) -> Iterator[None]:
    bell.client().config_set(setting, bad)
    yield
    bell.client().config_set(setting, 0)


def full() -> AbstractContextManager[None]:
    return _configured("maxmemory", 1)


def read_only() -> AbstractContextManager[None]:
    return _configured("min-replicas-to-write", 3)


@pytest.mark.parametrize("fault", [silent, killed, full, read_only])
def test_work_is_accepted_and_stored_in_time(
    client: Client, fault: Callable[[], AbstractContextManager[None]]
) -> None:
    job = JobFactory.create(team=client.user.personal_team)
    requests = client.requests(job.pk)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(client.ask, client.requests(JobFactory.create(team=job.team).pk)))
        with fault():
            replies = list(pool.map(client.ask, requests))
            later = [client.ask(requests[0]) for _ in range(3)]

    assert [reply for reply in replies + later if not reply.is_good] == []
    assert max(reply.seconds for reply in replies + later) <= ANSWER_SECONDS
    assert Execution.objects.filter(job=job).count() == STARTS + len(later)
    eventually(lambda: client.ask(requests[0]).is_good, within=10)

"""PostgreSQL is gone or silent: the API says so within two seconds, and is soon back (P13)."""

from __future__ import annotations

import contextlib
import signal
import socket
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.db import connection
from django.utils import timezone

from accounts import tokens
from accounts.models import User
from executions.models import Execution
from tests.crash.infrastructure import servers
from tests.crash.infrastructure.proxy import PIECE, Mood, Proxy
from tests.factories import PASSWORD, JobFactory, UserFactory
from tests.stack import database_url
from tests.waiting import eventually
from tests.web import Reply, Web

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

pytestmark = pytest.mark.crash

ANSWER_SECONDS = 2.0
BACK_SECONDS = 10.0
API = "/api/v1"


class Network(Proxy):
    """A proxy that can let a COMMIT through and nothing back from then on."""

    loses_commits = False

    def _pump(self, source: socket.socket, sink: socket.socket, asks: bool) -> None:
        with contextlib.suppress(OSError):
            while asks and (piece := source.recv(PIECE)):
                if self.loses_commits and b"COMMIT" in piece:
                    self.become(Mood.DEAF_TO_ANSWERS)
                if not self._lost(asks=True):
                    sink.sendall(piece)
        super()._pump(source, sink, asks)


class Client(NamedTuple):
    """Somebody who asks a web process whose way to the database leads through a proxy."""

    web: Web
    proxy: Network
    user: User
    bearer: dict[str, str]
    job: str

    def ask(self, request: tuple[str, str, Any]) -> Reply:
        return self.web.ask(*request, headers=self.bearer)

    def start(self, key: str) -> Reply:
        headers = {**self.bearer, "Idempotency-Key": key}
        return self.web.ask("POST", f"{API}/jobs/{self.job}/execute", {}, headers)

    def works(self) -> bool:
        return self.ask(("GET", f"{API}/jobs", None)).is_good

    @property
    def requests(self) -> list[tuple[str, str, Any]]:
        """One of every sort: reads and writes, before and after the sign-in, lists and numbers."""
        sign_in = {"email": self.user.email, "password": PASSWORD}
        nothing = "00000000-0000-7000-8000-000000000009"
        return [
            ("GET", f"{API}/auth/me", None),
            ("POST", f"{API}/auth/login", sign_in),
            ("POST", f"{API}/auth/register", sign_in | {"email": "new@example.org"}),
            ("GET", f"{API}/jobs?limit=5", None),
            ("POST", f"{API}/jobs", {"name": "Report"}),
            ("PATCH", f"{API}/jobs/{self.job}", {"name": "Other"}),
            ("DELETE", f"{API}/jobs/{self.job}", None),
            ("POST", f"{API}/jobs/{self.job}/execute", {}),
            ("POST", f"{API}/schedules/preview", {"type": "cron", "cron": "0 12 * * *"}),
            ("GET", f"{API}/executions", None),
            ("GET", f"{API}/executions/{nothing}?wait=20", None),
            ("GET", f"{API}/dashboard/stats", None),
            ("POST", "/run", {}),
            ("GET", f"/status?key={nothing}", None),
        ]


@pytest.fixture(scope="module")
def client(transactional_db: None) -> Iterator[Client]:
    url = urlsplit(database_url())
    assert url.hostname is not None
    assert url.port is not None
    user = UserFactory.create(is_staff=True, is_superuser=True)
    job = JobFactory.create(team=user.personal_team)
    bearer = {"Authorization": f"Bearer {tokens.sign_in(user, timezone.now()).access}"}
    proxy = Network((url.hostname, url.port))
    with proxy:
        through = url._replace(netloc=f"{url.username}:{url.password}@127.0.0.1:{proxy.port}")
        with Web({"DATABASE_URL": through.geturl()}) as web:
            made = Client(web, proxy, user, bearer, str(job.pk))
            eventually(made.works, within=BACK_SECONDS)
            yield made


@contextlib.contextmanager
def frozen(_: Client) -> Iterator[None]:
    with servers.postgres().frozen():
        yield


@contextlib.contextmanager
def swallowed(client: Client) -> Iterator[None]:
    client.proxy.become(Mood.SWALLOW)
    yield
    client.proxy.become(Mood.PASS)


@contextlib.contextmanager
def stopped_at_once(_: Client) -> Iterator[None]:
    server = servers.postgres()
    server.end(signal.SIGQUIT)
    yield
    server.start()


def is_told(reply: Reply) -> bool:
    """Say whether it is the answer of a Chronos whose database is away."""
    return (
        reply.status == 503
        and reply.headers["Content-Type"] == "application/problem+json"
        and reply.json()["component"] == "database"
        and int(reply.headers["Retry-After"]) > 0
        and reply.seconds <= ANSWER_SECONDS
    )


@pytest.mark.parametrize("fault", [frozen, swallowed, stopped_at_once])
def test_everything_says_so_in_time_and_works_again(
    client: Client, fault: Callable[[Client], AbstractContextManager[None]]
) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(client.ask, client.requests))  # connections that are open when it happens
        with fault(client):
            replies = list(pool.map(client.ask, client.requests))
            again = client.ask(("GET", f"{API}/jobs", None))  # no connection is left by now
            keyed = client.start("away")
            live = client.web.ask("GET", "/health/live")

        many = [("GET", f"{API}/jobs", None)] * 20
        eventually(
            lambda: all(reply.is_good for reply in pool.map(client.ask, many)), within=BACK_SECONDS
        )

    asked = zip(client.requests, replies, strict=True)
    assert [(what, reply) for what, reply in asked if not is_told(reply)] == []
    assert is_told(again)
    assert is_told(keyed)
    assert live.is_good


def test_pages_and_health_say_so_in_time(client: Client) -> None:
    session = SessionStore()
    session.save()
    cookie = {"Cookie": f"sessionid={session.session_key}", "Accept": "text/html"}
    assert client.web.ask("GET", "/admin/login/", headers=cookie).is_good
    with swallowed(client):
        page = client.web.ask("GET", "/admin/", headers=cookie)
        health = client.web.ask("GET", "/health")

    assert (page.status, health.status) == (503, 503)
    assert int(page.headers["Retry-After"]) > 0
    assert health.json()["components"]["database"] == {"status": "down"}
    assert max(page.seconds, health.seconds) <= ANSWER_SECONDS
    eventually(client.works, within=BACK_SECONDS)


def test_connections_that_were_terminated_are_replaced_before_anybody_notices(
    client: Client,
) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(client.ask, client.requests))
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity"
                " WHERE application_name = 'web'"
            )
            ended = cursor.fetchone()[0]
        replies = list(pool.map(client.ask, [("GET", f"{API}/jobs", None)] * 20))

    assert ended > 0
    assert [reply.status for reply in replies] == [200] * 20


def test_a_commit_whose_answer_is_lost_has_one_effect(client: Client) -> None:
    client = client._replace(job=str(JobFactory.create(team=client.user.personal_team).pk))
    client.proxy.loses_commits = True
    first = client.start("lost")
    client.proxy.loses_commits = False
    client.proxy.become(Mood.PASS)
    execution = Execution.objects.get(job_id=client.job)
    eventually(client.works, within=BACK_SECONDS)
    second = client.start("lost")

    assert is_told(first)
    assert (second.status, second.headers["Idempotent-Replayed"]) == (202, "true")
    assert second.json()["id"] == str(execution.pk)
    assert Execution.objects.filter(job_id=client.job).count() == 1

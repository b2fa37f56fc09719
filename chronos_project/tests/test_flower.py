"""Flower behind our own sign-in: who gets through, what passes in each direction."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.test import AsyncClient

from accounts.models import User
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db

PAGE = b"<h1>Workers</h1>"


@dataclass
class Upstream:
    """A server in Flower's place: keeps what it was asked, answers what the test wants."""

    status: int = 200
    body: bytes = PAGE
    headers: dict[str, str] = field(default_factory=lambda: {"Content-Type": "text/html"})
    asked: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)


@pytest.fixture
def upstream(settings: Any) -> Iterator[Upstream]:
    stand_in = Upstream()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            stand_in.asked.append((self.command, self.path, dict(self.headers)))
            self.send_response(stand_in.status)
            for name, value in stand_in.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(stand_in.body)))
            self.end_headers()
            self.wfile.write(stand_in.body)

        do_POST = do_DELETE = do_PUT = do_GET  # noqa: N815  the names that the library looks for

        def log_message(self, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    settings.CHRONOS_FLOWER_URL = f"http://chronos:secret@127.0.0.1:{server.server_port}"
    yield stand_in
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def operator() -> User:
    return UserFactory.create(is_staff=True)


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes


def ask(path: str, user: User | None = None, *, method: str = "get", **sent: Any) -> Answer:
    async def talk() -> Answer:
        client = AsyncClient()
        if user:
            await client.aforce_login(user)
        response: Any = await getattr(client, method)(path, **sent)
        if response.streaming:
            body = b"".join([piece async for piece in response.streaming_content])
        else:
            body = response.content
        return Answer(response.status_code, dict(response.headers), body)

    return async_to_sync(talk)()


def test_staff_see_flower(upstream: Upstream, operator: User) -> None:
    answer = ask("/flower/tasks?state=FAILURE", operator)

    assert (answer.status, answer.body) == (200, PAGE)
    assert upstream.asked[0][:2] == ("GET", "/flower/tasks?state=FAILURE")


def test_nobody_is_sent_to_the_sign_in(upstream: Upstream) -> None:
    answer = ask("/flower/task/x?a=b", headers={"accept": "text/html"})

    assert answer.status == 302
    assert answer.headers["Location"] == "/admin/login/?next=/flower/task/x%3Fa%3Db"
    assert upstream.asked == []


@pytest.mark.parametrize(("signed_in", "status"), [(False, 401), (True, 403)])
@pytest.mark.parametrize("path", ["/flower/api/workers", "/flower/tasks/datatable"])
def test_programs_are_told_with_a_status(
    upstream: Upstream, path: str, signed_in: bool, status: int
) -> None:
    user = UserFactory.create() if signed_in else None

    answer = ask(path, user, headers={"accept": "application/json"})

    assert answer.status == status
    assert upstream.asked == []


def test_users_who_are_no_staff_stay_outside(upstream: Upstream) -> None:
    answer = ask("/flower/", UserFactory.create(), headers={"accept": "text/html"})

    assert answer.status == 302
    assert upstream.asked == []


def test_staff_who_left_stay_outside(upstream: Upstream) -> None:
    left = UserFactory.create(is_staff=True, is_active=False)

    assert ask("/flower/", left, headers={"accept": "text/html"}).status == 302
    assert upstream.asked == []


@pytest.mark.parametrize(
    "path",
    [
        "metrics",
        "healthcheck",
        "login",
        "logout",
        "static/../metrics",
        "static/%2e%2e/metrics",
        "./metrics",
        "/metrics",
        "METRICS",
    ],
)
def test_what_flower_shows_to_anybody_or_signs_in_with_is_not_passed_on(
    upstream: Upstream, operator: User, path: str
) -> None:
    assert ask(f"/flower/{path}", operator).status == 404
    assert upstream.asked == []


@pytest.mark.parametrize("method", ["post", "put", "delete", "patch", "options"])
def test_only_reading_is_passed_on(upstream: Upstream, operator: User, method: str) -> None:
    answer = ask("/flower/api/worker/shutdown/io", operator, method=method)

    assert answer.status == 405
    assert upstream.asked == []


def test_the_search_that_flower_posts_becomes_a_get(upstream: Upstream, operator: User) -> None:
    sent = {"draw": "1", "search[value]": "state:FAILURE"}

    ask("/flower/tasks/datatable", operator, method="post", data=sent)

    method, path, _ = upstream.asked[0]
    assert method == "GET"
    assert path == "/flower/tasks/datatable?draw=1&search%5Bvalue%5D=state%3AFAILURE"


def test_a_head_gets_the_headers(upstream: Upstream, operator: User) -> None:
    answer = ask("/flower/", operator, method="head")

    assert (answer.status, answer.headers["Content-Type"]) == (200, "text/html")


def test_flower_gets_our_password_and_nothing_of_the_users(
    upstream: Upstream, operator: User
) -> None:
    headers = {"authorization": "Bearer theirs", "x-forwarded-for": "1.2.3.4", "accept": "*/*"}

    ask("/flower/", operator, headers=headers)

    seen = {name.lower(): value for name, value in upstream.asked[0][2].items()}
    assert seen["authorization"].startswith("Basic ")
    assert {"cookie", "x-forwarded-for"} & set(seen) == set()


def test_no_cookie_and_no_connection_header_comes_back(upstream: Upstream, operator: User) -> None:
    upstream.headers |= {"Set-Cookie": "_xsrf=1", "Keep-Alive": "timeout=5", "Server": "Tornado"}

    answer = ask("/flower/", operator)

    assert {"Set-Cookie", "Keep-Alive", "Server"} & set(answer.headers) == set()
    assert answer.headers["X-Frame-Options"] == "DENY"


def test_what_is_compressed_stays_so(upstream: Upstream, operator: User) -> None:
    upstream.body = gzip.compress(PAGE)
    upstream.headers["Content-Encoding"] = "gzip"

    answer = ask("/flower/", operator)

    assert answer.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(answer.body) == PAGE


def test_a_file_that_did_not_change_is_not_sent_again(upstream: Upstream, operator: User) -> None:
    upstream.status, upstream.body = 304, b""

    answer = ask("/flower/static/a.js", operator, headers={"if-none-match": '"1"'})

    assert answer.status == 304
    assert upstream.asked[0][2]["If-None-Match"] == '"1"'


def test_a_task_that_flower_does_not_know_is_its_own_page(
    upstream: Upstream, operator: User
) -> None:
    upstream.status, upstream.body = 404, b"<h1>Unknown task</h1>"

    answer = ask("/flower/task/x", operator)

    assert (answer.status, answer.body) == (404, b"<h1>Unknown task</h1>")


@pytest.mark.parametrize("status", [302, 401, 403, 500])
def test_an_answer_that_is_not_for_the_user_becomes_a_503(
    upstream: Upstream, operator: User, status: int
) -> None:
    upstream.status, upstream.body = status, b"Traceback, settings, bugreport"
    upstream.headers["Location"] = "https://example.org/"

    answer = ask("/flower/", operator)

    assert answer.status == 503
    assert b"Traceback" not in answer.body
    assert "Location" not in answer.headers


def test_flower_that_is_away_is_a_503(upstream: Upstream, operator: User, settings: Any) -> None:
    settings.CHRONOS_FLOWER_URL = "http://chronos:secret@127.0.0.1:1"

    answer = ask("/flower/", operator, headers={"accept": "text/html"})

    assert answer.status == 503
    assert b"The flower does not answer at the moment." in answer.body
    assert b"secret" not in answer.body


def test_flower_that_is_not_configured_is_a_503(operator: User, settings: Any) -> None:
    settings.CHRONOS_FLOWER_URL = ""

    assert ask("/flower/", operator).status == 503

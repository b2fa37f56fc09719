"""Rules of `chronos_project.body_limit`."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import AsyncIterator
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from asgiref.testing import ApplicationCommunicator
from django.conf import settings
from django.core.asgi import get_asgi_application

from chronos_project.body_limit import DRAIN, BodyLimit, limit_of
from lib import ndjson

Server: Any = ApplicationCommunicator  # has no types
MIB = 1024 * 1024
PATH = "/api/v1/auth/refresh"
GOOD = b'{"refresh": "x"}'


def ask(chunks: list[bytes], headers: dict[str, str]) -> tuple[int, dict[str, Any]]:
    """Send a request in ``chunks``; return the status and the body of the answer."""
    return async_to_sync(_ask)(chunks, headers)


async def _ask(chunks: list[bytes], headers: dict[str, str]) -> tuple[int, dict[str, Any]]:
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "POST",
        "path": PATH,
        "raw_path": PATH.encode(),
        "query_string": b"",
        "headers": [
            (name.lower().encode(), value.encode())
            for name, value in (
                {"Host": "localhost", "Content-Type": "application/json"} | headers
            ).items()
        ],
    }
    server = Server(BodyLimit(get_asgi_application()), scope)
    for number, chunk in enumerate(chunks, start=1):
        await server.send_input(
            {"type": "http.request", "body": chunk, "more_body": number < len(chunks)}
        )
    start = await server.receive_output(timeout=20)
    body = b"".join([part async for part in _parts(server)])
    await server.wait()
    return start["status"], json.loads(body)


async def _parts(server: Any) -> AsyncIterator[bytes]:
    more = True
    while more:
        message = await server.receive_output(timeout=20)
        more = message.get("more_body", False)
        yield message["body"]


@pytest.mark.django_db
def test_a_body_without_a_length_is_read() -> None:
    status, body = ask([GOOD[:5], GOOD[5:]], {"Transfer-Encoding": "chunked"})

    assert (status, body["code"]) == (401, "token_invalid")


@pytest.mark.django_db
def test_a_body_with_its_length_is_read() -> None:
    status, body = ask([GOOD], {"Content-Length": str(len(GOOD))})

    assert (status, body["code"]) == (401, "token_invalid")


def test_a_request_without_a_body_stays_without() -> None:
    status, body = ask([b""], {})

    assert (status, body["code"]) == (400, "required")


@pytest.mark.parametrize("chunk", [MIB + 1, 100_000])
def test_a_body_that_never_ends_is_a_413(chunk: int) -> None:
    chunks = [b"x" * chunk] * (DRAIN * MIB // chunk + 2)

    status, body = ask(chunks, {"Transfer-Encoding": "chunked"})

    assert (status, body["code"]) == (413, "body_too_large")


def test_a_body_of_exactly_the_limit_is_read() -> None:
    status, body = ask([b'"' + b"x" * (MIB - 2) + b'"'], {"Transfer-Encoding": "chunked"})

    assert (status, body["code"]) == (400, "invalid")


def test_a_length_that_lies_is_put_right() -> None:
    status, body = ask([b"{}"], {"Content-Length": "0"})

    assert (status, body["code"]) == (400, "required")


def test_a_body_that_claims_to_be_huge_is_not_waited_for() -> None:
    status, body = ask([b"x"], {"Content-Length": "99999999999"})

    assert (status, body["code"]) == (413, "body_too_large")


def test_whoever_hangs_up_while_sending_gets_no_answer() -> None:
    called: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        called.append(scope["type"])

    async def hang_up() -> None:
        server = Server(BodyLimit(app), {"type": "http", "path": PATH, "headers": []})
        await server.send_input({"type": "http.request", "body": b"a", "more_body": True})
        await server.send_input({"type": "http.disconnect"})
        await server.wait()

    async_to_sync(hang_up)()

    assert not called


@pytest.mark.parametrize(
    ("path", "limit"),
    [
        ("/api/v1/jobs/a-job/executions", ndjson.MAX_BYTES),
        ("/api/v1/jobs/a-job/executions/", ndjson.MAX_BYTES),
        ("/api/v1/jobs/a-job/executions/x", MIB),
        ("/api/v1/jobs/a/b/executions", MIB),
        ("/api/v1/executions", MIB),
        ("/x/api/v1/jobs/a-job/executions", MIB),
    ],
)
def test_many_starts_may_be_longer(path: str, limit: int) -> None:
    assert limit_of(path) == limit


def test_no_setting_is_read_before_the_entry_point_has_had_its_say() -> None:
    code = "import chronos_project.body_limit, chronos_project.handler, sys;"
    code += "sys.exit('chronos_project.settings' in sys.modules)"

    done = subprocess.run([sys.executable, "-c", code], cwd=settings.BASE_DIR, check=False)  # noqa: S603  our own command

    assert done.returncode == 0


def test_what_is_no_request_passes() -> None:
    called: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        called.append(scope["type"])

    async def start() -> None:
        await Server(BodyLimit(app), {"type": "lifespan"}).wait()

    async_to_sync(start)()

    assert called == ["lifespan"]

"""Rules of `chronos_project.problems`: errors that Django makes, or that nobody thought of."""

from __future__ import annotations

import json
import logging
import re
from http import HTTPStatus
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.db import OperationalError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.test import AsyncClient, Client, RequestFactory
from django.urls import path
from django.views.decorators.http import require_GET
from rest_framework.views import APIView

from chronos_project.problems import csrf_failure

SECRET = "/srv/chronos/secret.py: SELECT password FROM users"
RAISED: dict[str, Exception] = {
    "surprise": RuntimeError(SECRET),
    "missing": Http404(SECRET),
    "denied": PermissionDenied(SECRET),
    "suspicious": SuspiciousOperation(SECRET),
    "database": OperationalError(SECRET),
}


def raising(request: HttpRequest, name: str) -> HttpResponseBase:
    raise RAISED[name]


class RaisingView(APIView):
    authentication_classes = []
    permission_classes = []

    def get(self, request: Any, name: str) -> Any:
        raise RAISED[name]


def passed_on(request: HttpRequest) -> HttpResponse:
    response = HttpResponse("<p>theirs</p>", status=404)
    response.passed_on = True  # type: ignore[attr-defined]  # what the middleware looks for
    return response


def streaming(request: HttpRequest) -> StreamingHttpResponse:
    return StreamingHttpResponse(iter([b"a"]), status=503, content_type="text/html")


urlpatterns = [
    path("pages/<name>", raising),
    path("api/plain/<name>", raising),
    path("api/view/<name>", RaisingView.as_view()),
    path("api/read", require_GET(lambda request: HttpResponse("ok"))),
    path("theirs", passed_on),
    path("streaming", streaming),
]
pytestmark = pytest.mark.urls(__name__)


@pytest.fixture
def client() -> Client:
    return Client(raise_request_exception=False)


@pytest.fixture(params=[False, True], ids=["", "debug"])
def debug(request: pytest.FixtureRequest, settings: Any) -> bool:
    settings.DEBUG = request.param
    return bool(request.param)


def problem(answer: Any, status: int, code: str) -> dict[str, Any]:
    """Check the shape that every error has, and return its body."""
    body: dict[str, Any] = json.loads(answer.content)
    assert answer.status_code == body["status"] == status
    assert answer["Content-Type"] == "application/problem+json"
    assert {"type", "title", "status", "detail", "instance", "code", "request_id"} <= set(body)
    assert body["code"] == code
    assert body["request_id"] == answer["X-Request-Id"]
    assert_nothing_internal(answer)
    return body


def assert_nothing_internal(answer: Any) -> None:
    text = answer.content.decode()
    for word in ("SELECT", "secret.py", "Traceback", "Error at", "urlpatterns", "site-packages"):
        assert word not in text


@pytest.mark.parametrize("area", ["plain", "view"])
@pytest.mark.parametrize(
    ("name", "status", "code"),
    [
        ("surprise", 500, "internal_error"),
        ("missing", 404, "not_found"),
        ("denied", 403, "permission_denied"),
        ("database", 503, "database_unavailable"),
    ],
)
@pytest.mark.usefixtures("debug")
def test_whatever_is_raised_below_api_becomes_a_problem(
    client: Client, area: str, name: str, status: int, code: str
) -> None:
    problem(client.get(f"/api/{area}/{name}"), status, code)


@pytest.mark.parametrize("area", ["plain", "view"])
@pytest.mark.usefixtures("debug")
def test_a_suspicious_request_is_a_400(client: Client, area: str) -> None:
    answer = client.get(f"/api/{area}/suspicious")

    assert answer.status_code == HTTPStatus.BAD_REQUEST
    assert_nothing_internal(answer)


def test_a_database_that_is_away_says_when_to_come_back(client: Client) -> None:
    for area in ("plain", "view"):
        answer = client.get(f"/api/{area}/database")

        assert answer["Retry-After"] == "5"
        assert answer.json()["component"] == "database"


@pytest.mark.parametrize("name", RAISED)
@pytest.mark.usefixtures("debug")
def test_people_get_a_page_without_internals(client: Client, name: str) -> None:
    answer = client.get(f"/pages/{name}", headers={"Accept": "text/html"})

    assert answer.status_code >= HTTPStatus.BAD_REQUEST
    assert answer["Content-Type"] == "text/html; charset=utf-8"
    assert answer["X-Request-Id"] in answer.content.decode()
    assert_nothing_internal(answer)


def test_what_nobody_thought_of_is_logged_with_the_request_id(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        client.get("/api/view/surprise")

    assert SECRET in caplog.text


@pytest.mark.parametrize(
    "address",
    ["/api", "/api/", "/api/v1/nothing", "/run/x", "/status/", "/info", "/api/%ff%fe", "/api/%zz"],
)
@pytest.mark.usefixtures("debug")
def test_an_unknown_address_for_programs_is_a_problem(client: Client, address: str) -> None:
    problem(client.get(address, headers={"Accept": "text/html"}), 404, "not_found")


@pytest.mark.parametrize(
    "accept", ["application/json", "application/problem+json", "application/*"]
)
def test_who_asks_for_json_gets_a_problem_everywhere(client: Client, accept: str) -> None:
    problem(client.get("/nothing", headers={"Accept": accept}), 404, "not_found")


@pytest.mark.parametrize("address", ["/runner", "/apis", "/information", "/", "/admin/nothing/x"])
def test_elsewhere_people_get_a_page(client: Client, address: str) -> None:
    answer = client.get(address)

    assert answer.status_code == HTTPStatus.NOT_FOUND
    assert answer["Content-Type"] == "text/html; charset=utf-8"


@pytest.mark.parametrize("accept", ["", "x", ";;;", "text/html;q=x", "*/*;q=0", "\xff", "a" * 9999])
def test_an_accept_header_that_makes_no_sense_does_no_harm(client: Client, accept: str) -> None:
    assert client.get("/nothing", headers={"Accept": accept}).status_code == HTTPStatus.NOT_FOUND


def test_another_method_is_a_405_that_names_the_right_ones(client: Client) -> None:
    answer = client.post("/api/read")

    problem(answer, 405, "method_not_allowed")
    assert answer["Allow"] == "GET"


def test_the_length_is_that_of_the_new_body(client: Client) -> None:
    for address in ("/api/nothing", "/nothing"):
        answer = client.get(address)

        assert int(answer["Content-Length"]) == len(answer.content)


@pytest.mark.parametrize(
    "address", ["/api/read?a=%00", "/api/read?%00=1", "/api/%00", "/api/v1/jobs/a%00b", "/%00"]
)
def test_a_nul_in_the_address_is_a_400(client: Client, address: str) -> None:
    problem(client.get(address, headers={"Accept": "application/json"}), 400, "nul_character")


@pytest.mark.parametrize("host", ["evil.example", "a b", "", "localhost:x", "[::1", "x" * 300])
@pytest.mark.usefixtures("debug")
def test_an_unknown_host_is_a_400(client: Client, host: str, settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["testserver"]

    problem(client.get("/api/read", headers={"Host": host}), 400, "bad_host")


@pytest.mark.parametrize("length", ["abc", "-1", "1e3", "٣", "0x10", "1 1"])
def test_a_length_that_is_no_number_is_a_400(client: Client, length: str) -> None:
    problem(client.get("/api/read", CONTENT_LENGTH=length), 400, "bad_request")


def test_a_body_that_says_it_is_too_long_is_a_413(client: Client) -> None:
    problem(client.get("/api/read", CONTENT_LENGTH=str(1024 * 1024 + 1)), 413, "body_too_large")


def test_a_failed_cross_site_check_is_a_problem() -> None:
    request = RequestFactory().post("/api/x")
    request.request_id = ""  # type: ignore[attr-defined]  # the middleware's

    assert json.loads(csrf_failure(request).content)["code"] == "csrf_failed"


def test_the_answer_of_another_server_is_left_alone(client: Client) -> None:
    assert client.get("/theirs").content == b"<p>theirs</p>"


def test_a_stream_is_left_alone(client: Client) -> None:
    answer = client.get("/streaming")

    assert b"".join(answer) == b"a"
    assert answer["X-Request-Id"]


# --- Request ids ------------------------------------------------------------------------------


def test_a_request_without_an_id_gets_one(client: Client) -> None:
    first, second = (client.get("/api/read")["X-Request-Id"] for _ in range(2))

    assert re.fullmatch(r"[0-9a-f-]{36}", first)
    assert first != second


@pytest.mark.parametrize("given", ["abc", "a-b_c.d:1", "0" * 128])
def test_the_callers_id_is_taken_over(client: Client, given: str) -> None:
    assert client.get("/api/read", headers={"X-Request-Id": given})["X-Request-Id"] == given


@pytest.mark.parametrize("given", ["", "a b", "a\nb", "<script>", "é", "x" * 129, "\x1b[31m", "{}"])
def test_an_id_that_could_do_harm_is_replaced(client: Client, given: str) -> None:
    answer = client.get("/api/read", headers={"X-Request-Id": given})

    assert re.fullmatch(r"[0-9a-f-]{36}", answer["X-Request-Id"])


# --- Without threads --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "status", "code"),
    [
        ("/api/nothing", 404, "not_found"),
        ("/api/plain/surprise", 500, "internal_error"),
        ("/api/view/database", 503, "database_unavailable"),
        ("/api/%00", 400, "nul_character"),
    ],
)
def test_an_asynchronous_server_answers_the_same(address: str, status: int, code: str) -> None:
    client = AsyncClient(raise_request_exception=False)

    problem(async_to_sync(client.get)(address), status, code)

"""The API's description of itself: complete, valid, and made without a warning."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from openapi_spec_validator import validate

PATHS = {
    "/api/v1": "get",
    "/api/v1/auth/register": "post",
    "/api/v1/auth/login": "post",
    "/api/v1/auth/refresh": "post",
    "/api/v1/auth/logout": "post",
    "/api/v1/auth/me": "get patch",
    "/api/v1/teams": "get post",
    "/api/v1/teams/{team}": "get patch delete",
    "/api/v1/teams/{team}/members": "get",
    "/api/v1/teams/{team}/members/{user}": "get patch delete",
    "/api/v1/teams/{team}/service-accounts": "get post",
    "/api/v1/teams/{team}/service-accounts/{user}": "get delete",
    "/api/v1/teams/{team}/invitations": "get post",
    "/api/v1/teams/{team}/invitations/{id}": "delete",
    "/api/v1/invitations/accept": "post",
    "/api/v1/api-keys": "get post",
    "/api/v1/api-keys/{id}": "get delete",
    "/api/v1/jobs": "get post",
    "/api/v1/jobs/{id}": "get patch put delete",
    "/api/v1/jobs/{id}/pause": "post",
    "/api/v1/jobs/{id}/resume": "post",
    "/api/v1/jobs/{id}/restore": "post",
    "/api/v1/jobs/{id}/next-runs": "get",
    "/api/v1/jobs/{id}/execute": "post",
    "/api/v1/jobs/{id}/executions": "get post",
    "/api/v1/jobs/{id}/explain": "get",
    "/api/v1/schedules/preview": "post",
    "/api/v1/limits": "get post",
    "/api/v1/limits/{id}": "get patch delete",
    "/api/v1/executions": "get",
    "/api/v1/executions/{id}": "get",
    "/api/v1/executions/{id}/explain": "get",
    "/api/v1/executions/{id}/logs": "get",
    "/api/v1/executions/{id}/cancel": "post",
    "/api/v1/executions/{id}/retry": "post",
    "/api/v1/executions/{id}/attempts": "get",
    "/api/v1/executions/{id}/events": "get",
    "/api/v1/dead-letters": "get",
    "/api/v1/dead-letters/{id}/redrive": "post",
    "/api/v1/dead-letters/{id}/resolve": "post",
    "/api/v1/failures": "get",
    "/api/v1/failures/{fingerprint}": "get",
    "/api/v1/failures/{fingerprint}/redrive": "post",
    "/api/v1/failures/{fingerprint}/resolve": "post",
    "/api/v1/redrives/{id}": "get",
    "/api/v1/redrives/{id}/stop": "post",
    "/api/v1/queues": "get post",
    "/api/v1/queues/{name}": "get patch",
    "/api/v1/queues/{name}/pause": "post",
    "/api/v1/queues/{name}/resume": "post",
    "/api/v1/dashboard/stats": "get",
    "/run": "post",
    "/status": "get",
    "/info": "get",
    "/health": "get",
    "/health/live": "get",
    "/health/ready": "get",
    "/metrics": "get",
}
METHODS = {"get", "post", "put", "patch", "delete"}


@cache
def document() -> dict[str, Any]:
    answer = Client().get("/api/schema", {"format": "json"})
    assert answer.status_code == 200
    found: dict[str, Any] = json.loads(answer.content)
    return found


def operations() -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (path, method, operation)
        for path, item in document()["paths"].items()
        for method, operation in item.items()
        if method in METHODS
    ]


def test_it_is_made_without_a_warning(tmp_path: Path) -> None:
    call_command(
        "spectacular",
        "--validate",
        "--fail-on-warn",
        file=str(tmp_path / "schema.yml"),
    )


def test_it_is_valid_openapi_3_1() -> None:
    assert document()["openapi"] == "3.1.0"
    validate(document())


def test_it_has_every_path_and_no_other() -> None:
    described = {path: METHODS & item.keys() for path, item in document()["paths"].items()}

    assert described == {path: set(methods.split()) for path, methods in PATHS.items()}


def test_every_operation_says_that_its_errors_are_problems() -> None:
    problem = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}

    for path, method, operation in operations():
        for status in ["4XX", "5XX"]:
            assert operation["responses"][status]["content"] == problem, (method, path)


def test_every_operation_has_a_known_tag_and_says_what_it_does() -> None:
    known = {tag["name"] for tag in document()["tags"]}

    for path, method, operation in operations():
        assert set(operation["tags"]) <= known, (method, path)
        assert 5 < len(operation["summary"]) <= 100, (method, path)


def test_what_needs_a_token_says_so() -> None:
    open_to_all = {path for path, _, operation in operations() if "security" not in operation}
    auth = "/api/v1/auth"

    assert document()["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"
    assert open_to_all == {
        "/api/v1",
        f"{auth}/register",
        f"{auth}/login",
        f"{auth}/refresh",
        "/health",
        "/health/live",
        "/health/ready",
        "/info",
    }


def test_both_old_spellings_of_a_job_are_examples_as_they_stand() -> None:
    content = document()["paths"]["/api/v1/jobs"]["post"]["requestBody"]["content"]
    examples = [example["value"] for example in content["application/json"]["examples"].values()]

    assert {
        "name": "Weekly Newsletter",
        "description": "Send newsletter every Monday",
        "job_type": "recurring",
        "schedule_type": "cron",
        "cron_expression": "0 9 * * 1",
        "payload": {"template": "weekly_digest"},
    } in examples
    assert {
        "name": "Sample HTTP Job",
        "type": "HTTP",
        "schedule": {"type": "ONCE", "runAt": "2027-12-25T10:00:00Z"},
        "payload": {"httpUrl": "https://example.org/get", "httpMethod": "GET"},
        "retryPolicy": {"maxAttempts": 3, "backoffStrategy": "EXPONENTIAL", "backoffSeconds": 60},
    } in examples


@pytest.mark.parametrize("path", ["/api/docs", "/api/docs/", "/api/redoc"])
def test_its_pages_ask_no_foreign_host_and_all_they_need_is_here(client: Client, path: str) -> None:
    answer = client.get(path)
    text = answer.content.decode()

    assert answer.status_code == 200
    assert not re.findall(r"""(?:src|href)=["'](?:https?:)?//""", text)
    for asset in re.findall(r"""(?:src|href)=["'](/static/[^"']+)""", text):
        served: Any = client.get(asset)
        assert served.status_code == 200, asset
        assert b"".join(served.streaming_content), asset


def test_the_script_of_redoc_is_kept_from_asking_for_its_foreign_logo(client: Client) -> None:
    assert "img-src 'self' data:;" in client.get("/api/redoc").content.decode()


@pytest.mark.parametrize(
    ("alias", "target"),
    [
        ("/swagger-ui.html", "/api/docs"),
        ("/v3/api-docs", "/api/schema?format=json"),
        ("/", "/admin/"),
        ("/admin", "/admin/"),
    ],
)
def test_old_addresses_lead_on(client: Client, alias: str, target: str) -> None:
    answer = client.get(alias)

    assert (answer.status_code, answer.headers["Location"]) == (302, target)

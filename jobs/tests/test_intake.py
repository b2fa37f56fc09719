"""What is read by the thousand is what the API would have made of it, faults included."""

from __future__ import annotations

import json
from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest
from rest_framework.exceptions import APIException

from accounts.models import Team
from jobs.intake import Intake, lines
from jobs.models import Limit
from jobs.serializers import JobSerializer
from lib.strict_json import MAX_BYTES
from tests.factories import NOON

pytestmark = pytest.mark.django_db

EVERY = {"type": "interval", "every_seconds": 60}
CRON = {"type": "cron", "cron": "0 9 * * *", "timezone": "Europe/Berlin"}
URL = {"url": "https://example.org/a"}

BODIES: list[dict[str, Any]] = [
    {"name": "least"},
    {"name": "own slug", "slug": "mine", "description": "two\nlines", "tags": ["a", "b"]},
    {"name": "http", "kind": "http", "payload": URL, "schedule": CRON},
    {"name": "number", "kind": "noop", "payload": {"number": 1, "again": 1.0, "so": True}},
    {"name": "paused", "status": "paused", "schedule": EVERY},
    {"name": "policies", "policy": {"misfire": "all", "catch_up_max": 5, "limit": "mail"}},
    {"name": "retries", "retry": {"strategy": "ladder", "delays_seconds": [1, 5]}},
    {"name": "bounds", "schedule": EVERY | {"starts_at": "2027-06-16T00:00:00Z"}},
    {"name": "flat", "type": "HTTP", "cron_expression": "0 9 * * *", "payload": {"httpUrl": "x"}},
    {"name": "nested", "schedule": {"type": "DAILY"}, "retryPolicy": {"maxAttempts": 5}},
    {"name": "implied", "schedule": {"every_seconds": 60}},
]
FAULTS: list[Any] = [
    {},
    [],
    {"name": ""},
    {"name": "a\u202eb", "slug": "Not A Slug", "tags": ["a", "a"]},
    {"name": 7, "kind": "fax"},
    {"name": "url", "kind": "http", "payload": {"url": "ftp://example.org"}},
    {"name": "kind of another", "kind": "http", "payload": {"number": 1}},
    {"name": "cron", "schedule": {"type": "cron", "cron": "0 0 30 2 *"}},
    {"name": "past", "schedule": {"type": "once", "run_at": "2027-06-15T11:00:00Z"}},
    {"name": "limit", "policy": {"limit": "unheard of"}},
    {"name": "read only", "id": "x", "versoin": 3},
    {"name": "archived", "status": "archived"},
    {"name": "null", "schedule": None, "payload": None},
    {"name": "both", "kind": "noop", "type": "http"},
]


@pytest.fixture
def team() -> Team:
    team = Team.objects.create(name="readers")
    Limit.objects.create(team=team, name="mail", concurrency=1)
    return team


def outcome(read: Any) -> Any:
    try:
        return read()
    except APIException as exc:
        return json.dumps(exc.get_full_details(), sort_keys=True)


def by_the_serializer(team: Team, body: Any) -> Any:
    serializer = JobSerializer(data=body, context={"team": team, "now": NOON})
    serializer.is_valid(raise_exception=True)
    return dict(serializer.validated_data)


@pytest.mark.parametrize("body", [*BODIES, *FAULTS], ids=str)
def test_a_line_means_what_it_means_to_the_api(team: Team, body: Any) -> None:
    intake = Intake(team, now=NOON)
    line = json.dumps(body).encode()

    expected = outcome(lambda: by_the_serializer(team, body))

    assert outcome(lambda: intake.read(line)) == expected
    assert outcome(lambda: intake.read(line)) == expected, "when its parts are known, too"


def test_lines_do_not_disturb_each_other(team: Team) -> None:
    intake = Intake(team, now=NOON)
    bodies = [*BODIES, *FAULTS] * 2

    for body in bodies:
        expected = outcome(lambda body=body: by_the_serializer(team, body))
        assert outcome(lambda body=body: intake.read(json.dumps(body).encode())) == expected


def test_a_part_that_many_share_is_validated_once(team: Team) -> None:
    intake = Intake(team, now=NOON)

    first, second = (
        intake.read(json.dumps({"name": name, "schedule": EVERY}).encode()) for name in "ab"
    )

    assert first["schedule"] is second["schedule"]


def test_instants_are_judged_by_the_moment_of_the_batch(team: Team) -> None:
    line = json.dumps({"name": "x", "schedule": {"type": "once", "run_at": NOON.isoformat()}})

    Intake(team, now=NOON).read(line.encode())

    with pytest.raises(APIException):
        Intake(team, now=NOON + timedelta(hours=1)).read(line.encode())


@pytest.mark.parametrize("line", [b"{", b'{"name": "\\u0000"}', b"\xff", b'{"a": 1, "a": 2}'])
def test_what_is_no_proper_json_is_refused(team: Team, line: bytes) -> None:
    with pytest.raises(APIException):
        Intake(team, now=NOON).read(line)


def test_lines_are_numbered_as_an_editor_does() -> None:
    assert [*lines(BytesIO(b"a\n\n \r\nb\nc"))] == [(1, b"a\n"), (4, b"b\n"), (5, b"c")]


def test_of_a_line_that_is_too_long_the_rest_is_passed_over() -> None:
    long = b"x" * (3 * MAX_BYTES)

    found = [*lines(BytesIO(long + b"\nb\n"))]

    assert [(number, len(line)) for number, line in found] == [(1, MAX_BYTES + 1), (2, 2)]

"""Whatever is sent: no 5xx, and what is accepted can be sent back and changes nothing."""

from __future__ import annotations

import json
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from jobs.tests.calls import JOBS
from jobs.tests.spelled import CANONICAL, FLAT, NESTED

if TYPE_CHECKING:
    from rest_framework.test import APIClient

pytestmark = pytest.mark.django_db

ROUNDS = 100
FULL: dict[str, Any] = {
    **CANONICAL,
    "schedule": {
        "type": "interval",
        "every_seconds": 60,
        "mode": "fixed_delay",
        "jitter_seconds": 1.5,
        "starts_at": "2027-12-25T10:00:00Z",
        "ends_at": "2028-12-25T10:00:00Z",
        "max_executions": 60,
    },
    "retry": {
        "max_attempts": 3,
        "strategy": "ladder",
        "delays_seconds": [1, 60],
        "jitter": "none",
        "retry_on": ["5xx"],
        "give_up_on": ["timeout", "ValueError"],
    },
    "policy": {
        **CANONICAL["policy"],
        "misfire": "all",
        "catch_up_max": 60,
        "catch_up_pace_seconds": 1.5,
        "concurrency": 60,
        "limit": None,
        "start_deadline_seconds": 60,
    },
}
OUTER = [
    *CANONICAL, *FLAT, *NESTED, "scheduled_at", "run_at", "interval_seconds", "max_retries", "x",
]  # fmt: skip
INNER = [
    "type", "cron", "timezone", "every_seconds", "anchor", "run_at", "cronExpr", "intervalSeconds",
    "url", "httpUrl", "headers", "httpBody", "max_attempts", "maxAttempts", "base_seconds",
    "max_seconds", "backoffStrategy", "timeout_seconds", "overlap", "queue", "function", "args",
    "mode", "jitter_seconds", "starts_at", "ends_at", "max_executions", "strategy", "jitter",
    "delays_seconds", "retry_on", "give_up_on", "concurrency", "limit", "start_deadline_seconds",
    "catch_up_max", "catch_up_pace_seconds", "misfire", "non_field_errors", "", "/", "~",
]  # fmt: skip
VALUES: list[Any] = [
    None, True, 0, 1, -1, 60, 2**62, 1e308, 1e18, 1.5, -0.0, 5e-324, "", " ", "x", "HTTP", "noop",
    "python", "CRON", "interval", "once", "IMMEDIATE", "manual", "DAILY", "* * * * *", "UTC",
    "0 0 12 * * ?",
    "2027-12-25T10:00:00Z", "2020-01-01T00:00:00Z", "https://example.org/", "http://127.0.0.1",
    "recurring", "paused", "EXPONENTIAL", "skip", [], ["a"], [1], {}, {"a": 1}, [[]], "\u202e",
    "ladder", "fixed_rate", "full", "all", ["timeout"], ["5xx", 503], [60, 0.5],
]  # fmt: skip


def mutated(random: Random) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(json.dumps(random.choice([FLAT, NESTED, CANONICAL, FULL])))
    body.pop("slug", None)
    for _ in range(random.randint(0, 3)):
        name, value = random.choice(OUTER), random.choice(VALUES)
        if isinstance(body.get(name), dict) and random.random() < 0.7:
            body[name][random.choice(INNER)] = value
        else:
            body[name] = value
    return body


@pytest.mark.parametrize("seed", range(4))
def test_whatever_is_sent_is_refused_or_makes_a_job_that_holds(api: APIClient, seed: int) -> None:
    random = Random(seed)
    accepted = 0
    for _ in range(ROUNDS):
        body = mutated(random)
        answer = api.post(JOBS, body)
        assert answer.status_code in (201, 400, 409), (body, answer.content)
        if answer.status_code == 201:
            accepted += 1
            job = answer.json()
            back = api.put(f"{JOBS}/{job['id']}", {name: job[name] for name in CANONICAL})
            assert back.status_code == 200, (body, back.json())
            assert back.json()["version"] == 1, (body, back.json())
    assert accepted > ROUNDS / 20, "most bodies are broken, but not all"

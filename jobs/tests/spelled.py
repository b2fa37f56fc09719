"""One job in each of the three spellings, as clients send them."""

from __future__ import annotations

from typing import Any

FLAT: dict[str, Any] = {
    "name": "Weekly Newsletter",
    "description": "Send newsletter every Monday",
    "job_type": "recurring",
    "schedule_type": "cron",
    "cron_expression": "0 9 * * 1",
    "payload": {"template": "weekly_digest"},
}
NESTED: dict[str, Any] = {
    "name": "Sample HTTP Job",
    "type": "HTTP",
    "schedule": {"type": "ONCE", "runAt": "2027-12-25T10:00:00Z"},
    "payload": {"httpUrl": "https://example.org/get", "httpMethod": "GET"},
    "retryPolicy": {"maxAttempts": 3, "backoffStrategy": "EXPONENTIAL", "backoffSeconds": 60},
}
CANONICAL: dict[str, Any] = {
    "name": "Daily report",
    "slug": "daily-report",
    "description": "",
    "status": "active",
    "kind": "http",
    "payload": {"url": "https://svc.example/report", "method": "POST", "headers": {}, "body": None},
    "schedule": {"type": "cron", "cron": "0 12 * * *", "timezone": "UTC"},
    "retry": {
        "max_attempts": 3,
        "strategy": "exponential",
        "base_seconds": 60,
        "max_seconds": 3600,
    },
    "policy": {
        "timeout_seconds": 300,
        "overlap": "skip",
        "misfire": "latest",
        "priority": "normal",
        "queue": "default",
        "on_lost": "retry",
    },
    "tags": ["finance"],
}

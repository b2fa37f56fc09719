"""How tests call the job API: as whom, with what, and several at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TYPE_CHECKING, Any

from django.db import connection
from rest_framework.test import APIClient

from accounts.models import Membership

if TYPE_CHECKING:
    from collections.abc import Callable

    from accounts.models import User

JOBS = "/api/v1/jobs"
EVERY_MINUTE = {"type": "interval", "every_seconds": 60}


def client_of(user: User, role: str = "") -> APIClient:
    """Return a client of ``user``; with ``role``, that is what the user becomes in the team."""
    if role:
        Membership.objects.filter(user=user).update(role=role)
    client = APIClient()
    client.force_authenticate(user)
    return client


def create(api: APIClient, **body: Any) -> dict[str, Any]:
    answer = api.post(JOBS, {"name": "Report"} | body)
    assert answer.status_code == 201, answer.json()
    return dict(answer.json())


def change(api: APIClient, body: dict[str, Any], *, slug: str = "report") -> dict[str, Any]:
    answer = api.patch(f"{JOBS}/{slug}", body)
    assert answer.status_code == 200, answer.json()
    return dict(answer.json())


def at_once(threads: int, call: Callable[[int], Any], *, calls: int) -> list[Any]:
    """Run ``call(0)``, ``call(1)``, … in threads that start together, each with a connection."""
    start = Barrier(threads)

    def run(n: int) -> Any:
        if n < threads:
            start.wait(timeout=10)
        try:
            return call(n)
        finally:
            connection.close()

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(run, range(calls)))

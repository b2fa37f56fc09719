"""Health: what is asked, what is told to whom, and that the answer comes in time."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest
import redis
from django.db import connections
from django.test import Client

from chronos_project import probes
from executions import bell, clock
from executions.models import Beat, Worker
from tests.factories import UserFactory

COMPONENTS = ["broker", "database", "disk_space", "scheduler", "workers"]


@pytest.fixture(autouse=True)
def _fresh_probes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probes, "PROBES", probes.new_probes())


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port at which somebody takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
    return port


def start_everything() -> None:
    now = clock.read()
    process: dict[str, Any] = {"pid": 1, "version": "1", "started_at": now, "heartbeat_at": now}
    Beat.objects.create(name="beat@here", **process)
    for fleet in ["io", "compute"]:
        Worker.objects.create(name=f"{fleet}@here", fleet=fleet, slots=1, **process)


def words(answer: Any) -> dict[str, str]:
    return {name: part["status"] for name, part in answer.json()["components"].items()}


def test_live_asks_nobody(client: Client) -> None:  # without the mark, a query would be an error
    for path in ["/health/live", "/health/live/", "/api/v1/health/live"]:
        answer = client.get(path)
        assert (answer.status_code, answer.json()) == (200, {"status": "up"})


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("path", ["/health", "/health/ready", "/actuator/health", "/api/v1/health"])
def test_with_all_parts_there_it_is_up(client: Client, path: str) -> None:
    start_everything()

    answer = client.get(path, headers={"Accept": "text/html"})

    assert answer.status_code == 200
    assert answer.json()["status"] == "up"
    assert words(answer) == dict.fromkeys(COMPONENTS, "up")


@pytest.mark.django_db(transaction=True)
def test_a_fleet_without_a_worker_and_a_silent_scheduler_are_down(client: Client) -> None:
    start_everything()
    Worker.objects.filter(fleet="compute").update(stopped_at=clock.read())
    Beat.objects.update(heartbeat_at=clock.read().replace(year=2020))

    answer = client.get("/health")

    assert answer.status_code == 503
    assert answer.json()["status"] == "down"
    assert words(answer) == dict.fromkeys(COMPONENTS, "up") | {
        "scheduler": "down",
        "workers": "down",
    }


@pytest.mark.django_db(transaction=True)
def test_only_staff_are_told_more_than_up_and_down(client: Client) -> None:
    start_everything()

    assert all(
        list(part) == ["status"] for part in client.get("/health").json()["components"].values()
    )
    client.force_login(UserFactory.create())
    assert "here" not in client.get("/health").content.decode()
    client.force_login(UserFactory.create(is_staff=True))
    parts = client.get("/health").json()["components"]
    assert parts["workers"]["detail"] == {"workers": {"compute@here": "compute", "io@here": "io"}}
    assert parts["scheduler"]["detail"] == {"audit_mismatches": 0}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("port", ["closed_port", "silent_port"])
def test_without_a_database_it_answers_within_two_seconds(
    client: Client, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest, port: str
) -> None:
    client.force_login(UserFactory.create(is_staff=True))
    away = {"HOST": "127.0.0.1", "PORT": request.getfixturevalue(port)}
    for name, value in away.items():
        monkeypatch.setitem(connections.settings["default"], name, value)
    started = time.monotonic()

    answer = client.get("/health")

    assert time.monotonic() - started < 2
    assert answer.status_code == 503
    assert words(answer) == dict.fromkeys(COMPONENTS, "down") | {"broker": "up", "disk_space": "up"}
    assert "127.0.0.1" not in answer.content.decode()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("port", ["closed_port", "silent_port"])
def test_without_a_broker_it_answers_within_two_seconds(
    client: Client, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest, port: str
) -> None:
    start_everything()
    away = redis.Redis(port=request.getfixturevalue(port), socket_timeout=3)
    monkeypatch.setattr(bell, "_client", away)
    started = time.monotonic()

    answer = client.get("/health")

    assert time.monotonic() - started < 2
    assert answer.status_code == 503
    assert words(answer) == dict.fromkeys(COMPONENTS, "up") | {"broker": "down"}


@pytest.mark.django_db
def test_a_full_disk_is_down(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probes, "MIN_FREE_BYTES", 2**80)

    assert not probes.disk_space().up

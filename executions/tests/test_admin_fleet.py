"""Workers and beats: who is alive."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client

from accounts.models import User
from executions import clock
from executions.models import Beat, Worker
from tests import operators

pytestmark = pytest.mark.django_db


@pytest.fixture
def boss(client: Client) -> User:
    return operators.boss(client)


def test_processes_are_fresh_silent_or_stopped(client: Client, boss: User) -> None:
    now = clock.now()
    facts = {"pid": 1, "version": "1", "started_at": now}
    Worker.objects.create(name="a", slots=1, heartbeat_at=now, **facts)
    Worker.objects.create(name="b", slots=1, heartbeat_at=now - timedelta(minutes=1), **facts)
    Beat.objects.create(name="c", heartbeat_at=now, stopped_at=now, **facts)

    workers = client.get("/admin/executions/worker/").content.decode()
    beats = client.get("/admin/executions/beat/").content.decode()
    silent = client.get("/admin/executions/worker/?state=silent").content.decode()

    assert (workers.count("</svg>fresh"), workers.count("</svg>silent")) == (1, 1)
    assert beats.count("</svg>stopped") == 1
    assert silent.count("</svg>") == silent.count("</svg>silent") == 1

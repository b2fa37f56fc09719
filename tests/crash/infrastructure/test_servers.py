"""The faults themselves: servers really end, freeze and come back, the proxy really bites."""

from __future__ import annotations

import signal
import socket
from contextlib import closing

import pytest
import redis
from django.conf import settings
from django.db import connection

from accounts.models import Team
from executions import bell
from tests.crash.infrastructure import servers
from tests.crash.infrastructure.proxy import Mood, Proxy
from tests.factories import TeamFactory

pytestmark = [pytest.mark.crash, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize("how", [signal.SIGQUIT, signal.SIGKILL])
def test_postgres_ends_at_once_and_comes_back_with_what_it_answered(how: signal.Signals) -> None:
    server = servers.postgres()
    team = TeamFactory.create()
    connection.close()

    server.end(how)
    server.start()

    assert Team.objects.filter(pk=team.pk).exists()


def test_a_redis_that_is_killed_comes_back_empty() -> None:
    server = servers.redis_server()
    bell.client().set("kept", "no")

    server.end(signal.SIGKILL)
    server.start()

    assert bell.client().get("kept") is None


def test_a_frozen_redis_accepts_and_is_silent() -> None:
    with servers.redis_server().frozen():
        asked = redis.Redis.from_url(settings.REDIS_URL, socket_timeout=0.3)
        with pytest.raises(redis.TimeoutError):
            asked.ping()


def test_the_proxy_swallows_refuses_and_heals() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        with Proxy(server.getsockname()) as proxy:
            client = socket.create_connection(("127.0.0.1", proxy.port))
            taken, _ = server.accept()
            client.sendall(b"one")
            assert taken.recv(10) == b"one"

            proxy.become(Mood.DEAF_TO_ANSWERS)
            client.sendall(b"two")
            assert taken.recv(10) == b"two"
            taken.sendall(b"answer")
            client.settimeout(0.3)
            with pytest.raises(TimeoutError):
                client.recv(10)

            proxy.become(Mood.REFUSE)
            assert client.recv(10) == b""
            with socket.create_connection(("127.0.0.1", proxy.port)) as refused:
                assert refused.recv(10) == b""
            assert (proxy.refused, proxy.swallowed) == (1, 1)
        taken.close()
        client.close()

"""The doorbell: nobody waits long for whoever does not hear it."""

from __future__ import annotations

import socket
from contextlib import closing

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from executions import bell


def taken(server: socket.socket) -> bool:
    """Say whether anybody has called ``server``."""
    server.settimeout(0.2)
    try:
        server.accept()[0].close()
    except TimeoutError:
        return False
    return True


def test_after_a_ring_that_nobody_took_the_bell_is_spared_for_a_moment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        mute = redis.Redis(
            port=server.getsockname()[1], socket_timeout=0.1, retry=Retry(NoBackoff(), 0)
        )
        monkeypatch.setattr(bell, "_client", mute)
        monkeypatch.setattr(bell, "_rung_again_at", 0.0)

        bell.ring()
        assert taken(server)
        bell.ring()
        assert not taken(server)

        monkeypatch.setattr(bell, "_rung_again_at", 0.0)  # the moment is over
        bell.ring()
        assert taken(server)


def test_a_ring_is_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bell, "_rung_again_at", 0.0)
    with closing(bell.Listener()) as listener:
        listener.wait(0.01)  # subscribes

        bell.ring()

        assert listener.wait(5)

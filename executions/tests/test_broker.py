"""A broker that was away is left alone for a moment, and for no longer."""

from __future__ import annotations

import math

import pytest
import redis

from executions import bell, broker, clock


def test_whoever_is_not_let_through_does_not_make_the_rest_longer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = 1000.0
    monkeypatch.setattr(broker, "_asked_again_at", 0.0)
    monkeypatch.setattr(broker, "_answered_at", -math.inf)
    monkeypatch.setattr(clock, "ticks", lambda: now)
    broker.rest()

    now += broker.REST * 0.9
    with pytest.raises(broker.BrokerAwayError):
        broker.check()
    broker.rest()

    now += broker.REST * 0.1
    broker.check()


def test_a_broker_that_answered_lately_is_not_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr(broker, "_asked_again_at", 0.0)
    monkeypatch.setattr(broker, "_answered_at", -math.inf)
    monkeypatch.setattr(clock, "ticks", lambda: now)
    broker.check(lately=1.0)
    monkeypatch.setattr(bell, "_client", redis.Redis.from_url("redis://127.0.0.1:1/0"))

    now += 0.9
    broker.check(lately=1.0)
    with pytest.raises(redis.RedisError):
        broker.check()

    now += 0.2
    with pytest.raises(redis.RedisError):
        broker.check(lately=1.0)

"""A broker that was away is left alone for a moment, and for no longer."""

from __future__ import annotations

import pytest

from executions import broker, clock


def test_whoever_is_not_let_through_does_not_make_the_rest_longer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = 1000.0
    monkeypatch.setattr(broker, "_asked_again_at", 0.0)
    monkeypatch.setattr(clock, "ticks", lambda: now)
    broker.rest()

    now += broker.REST * 0.9
    with pytest.raises(broker.BrokerAwayError):
        broker.check()
    broker.rest()

    now += broker.REST * 0.1
    broker.check()

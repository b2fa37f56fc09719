"""How a worker looks for its broker."""

from __future__ import annotations

import re

import pytest
from celery import Celery
from kombu.connection import Connection
from kombu.exceptions import OperationalError
from kombu.utils import functional

from chronos_project.consumer import LONGEST_PAUSE, Consumer

TRIES = 10


def test_the_pauses_stay_short_however_long_the_broker_is_away(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(functional, "sleep", lambda _: None)
    consumer = Consumer.__new__(Consumer)
    consumer.app = Celery(set_as_current=False)
    consumer.app.conf.update(
        broker_connection_retry_on_startup=True, broker_connection_max_retries=TRIES
    )
    consumer.first_connection_attempt = False
    consumer.broker_connection_retry_attempt = 0

    with (
        caplog.at_level("ERROR", logger="celery"),
        Connection("redis://127.0.0.1:1/0") as nowhere,
        pytest.raises(OperationalError),
    ):
        consumer.ensure_connected(nowhere)

    pauses = [float(found) for found in re.findall(r"again in ([\d.]+) seconds", caplog.text)]
    assert len(pauses) == TRIES
    assert max(pauses) == LONGEST_PAUSE

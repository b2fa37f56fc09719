"""A broker that accepts connections and answers nothing holds nobody up for long."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from celery import current_app
from django.conf import settings
from kombu.pools import ProducerPool

from executions import bell, broker, clock, dispatch
from executions.beat import ChronosScheduler
from executions.maintenance import redispatch
from executions.models import Execution, Status
from executions.tests.crowds import crowd
from tests.crash.infrastructure.proxy import Mood, Proxy
from tests.factories import JobFactory
from tests.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.django_db(transaction=True)

A_TICK = 3.0  # seconds, in sum


@pytest.fixture
def proxy(monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    """The way to the broker that messages take from a beat."""
    ChronosScheduler(current_app._get_current_object())
    bell.client().flushdb()  # a message that others have left would say that none is lost
    real = urlsplit(settings.REDIS_URL)
    with Proxy((real.hostname or "", real.port or 0)) as proxy:
        to_proxy = current_app.connection_for_write(_url(proxy)).Pool(limit=1)
        producers = ProducerPool(connections=to_proxy, Producer=current_app.amqp.Producer, limit=1)
        monkeypatch.setattr(current_app.amqp, "_producer_pool", producers)
        monkeypatch.setattr(bell, "_rung_again_at", 0.0)
        monkeypatch.setattr(broker, "_asked_again_at", 0.0)
        yield proxy
    monkeypatch.undo()
    bell.client().flushdb()


@pytest.fixture
def everything(proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    """The same, and the bell goes that way, too."""
    monkeypatch.setattr(settings, "REDIS_URL", _url(proxy))
    monkeypatch.setattr(bell, "_client", None)
    yield proxy
    bell.client().close()


def _url(proxy: Proxy) -> str:
    real = urlsplit(settings.REDIS_URL)
    account, at, _ = real.netloc.rpartition("@")
    return str(real._replace(netloc=f"{account}{at}127.0.0.1:{proxy.port}").geturl())


def seconds(action: Callable[[], object]) -> float:
    since = time.monotonic()
    action()
    return time.monotonic() - since


def test_a_tick_waits_for_seconds_and_what_it_queued_is_sent_later(everything: Proxy) -> None:
    beat = ChronosScheduler(current_app._get_current_object())
    beat.tick()
    crowd(JobFactory.create(), 5, due_at=clock.read())
    everything.become(Mood.SWALLOW)

    ticks = [seconds(beat.tick) for _ in range(4)]

    assert Execution.objects.filter(status=Status.QUEUED).count() == 5
    assert max(ticks) < A_TICK
    everything.become(Mood.PASS)
    eventually(lambda: redispatch(clock.read()) == 5, within=10)
    beat.close()


def test_a_connection_that_dies_in_use_is_given_up_within_seconds(proxy: Proxy) -> None:
    crowd(JobFactory.create(), 5, due_at=clock.read())
    dispatch.queue_due(clock.read())
    crowd(JobFactory.create(), 5, due_at=clock.read())
    proxy.become(Mood.SWALLOW)

    assert seconds(lambda: dispatch.queue_due(clock.read())) < A_TICK

    assert proxy.swallowed
    proxy.become(Mood.PASS)
    eventually(lambda: redispatch(clock.read()) == 5, within=10)

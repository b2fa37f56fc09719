"""When a signal ends a beat."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest

from executions.ending import Ending

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def ending() -> Iterator[Ending]:
    before = {signum: signal.getsignal(signum) for signum in (signal.SIGTERM, signal.SIGINT)}
    ending = Ending()
    ending.follow()
    yield ending
    for signum, handler in before.items():
        signal.signal(signum, handler)


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_amid_work_ends_it_after_the_work(ending: Ending, signum: int) -> None:
    ending.check()
    os.kill(os.getpid(), signum)  # cuts nothing off

    with pytest.raises(SystemExit):
        ending.check()


def test_a_signal_amid_work_lets_it_wait_for_nothing_more(ending: Ending) -> None:
    os.kill(os.getpid(), signal.SIGTERM)
    waited = False

    with pytest.raises(SystemExit), ending.waiting():
        waited = True

    assert not waited


def test_a_signal_ends_a_wait_at_once(ending: Ending) -> None:
    with pytest.raises(SystemExit), ending.waiting():
        os.kill(os.getpid(), signal.SIGTERM)


def test_a_second_signal_ends_the_work_at_once(ending: Ending) -> None:
    os.kill(os.getpid(), signal.SIGTERM)

    with pytest.raises(SystemExit):
        os.kill(os.getpid(), signal.SIGTERM)

"""What may go wrong in an hour: faults that hit a random part of a running stack."""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING

from executions import bell
from executions.models import Execution
from tests.crash.ground import LEASE_SECONDS
from tests.crash.test_messages import send

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from random import Random

    from tests.crash.ground import Ground
    from tests.stack import Part

STOP_SECONDS = 40.0  # with the default grace


def kill_a_beat(ground: Ground, chance: Random) -> None:
    chance.choice(ground.beats).kill()


def kill_an_io_worker(ground: Ground, chance: Random) -> None:
    chance.choice(ground.io).kill()


def kill_a_compute_worker(ground: Ground, chance: Random) -> None:
    chance.choice(ground.compute).kill()


def kill_a_pool_child(ground: Ground, chance: Random) -> None:
    os.kill(chance.choice(ground.compute[0].children()).pid, signal.SIGKILL)


def freeze_a_part(ground: Ground, chance: Random) -> None:
    part = _any(ground, chance)
    part.freeze()
    time.sleep(LEASE_SECONDS + chance.uniform(1, 3))  # the length of the fault
    part.thaw()


def terminate_a_part(ground: Ground, chance: Random) -> None:
    _any(ground, chance).terminate(within=STOP_SECONDS)


def flush_the_broker(_ground: Ground, _chance: Random) -> None:
    bell.client().flushdb()


def send_messages_again(_ground: Ground, chance: Random) -> None:
    newest = list(Execution.objects.order_by("-pk").values_list("pk", flat=True)[:200])
    send(chance.sample(newest, len(newest)))


FAULTS: Mapping[str, Callable[[Ground, Random], None]] = {
    fault.__name__.replace("_", " "): fault
    for fault in (
        kill_a_beat,
        kill_an_io_worker,
        kill_a_compute_worker,
        kill_a_pool_child,
        freeze_a_part,
        terminate_a_part,
        flush_the_broker,
        send_messages_again,
    )
}


def _any(ground: Ground, chance: Random) -> Part:
    return chance.choice([*ground.beats, *ground.io, *ground.compute])

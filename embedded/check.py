"""What would keep Chronos from starting, found before anything is installed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from embedded import disk, ports
from embedded.lock import Lock
from embedded.output import Output
from embedded.running import Register, stop_in_order

if TYPE_CHECKING:
    from embedded.config import Config


def check(config: Config) -> Lock:
    """Take the data directory's lock; raise ``StartError`` for what would stop ``up`` later.

    What a killed start left running is stopped first.
    """
    output = Output()
    disk.require(config.data_dir, disk.WARM_BYTES, otherwise=disk.DATA)
    config.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = Lock(config.data_dir)
    lock.take(output.say)
    stop_in_order(register(config).read(), say=output.ended)
    ports.require(config.port)
    return lock


def register(config: Config) -> Register:
    """The file that remembers what runs on this data directory."""
    return Register(config.data_dir / "running.json")

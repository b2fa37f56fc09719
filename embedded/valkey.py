"""A Valkey (or Redis) server of our own, started as a part."""

from __future__ import annotations

from typing import TYPE_CHECKING

from embedded.files import write_private
from embedded.part import Part, Tier

if TYPE_CHECKING:
    from pathlib import Path

    from embedded.engines import Engine

KEPT = ("appendonly yes", "appendfsync everysec")
THROW_AWAY = ("appendonly no", "databases 64")


def part(
    engine: Engine, directory: Path, *, port: int, password: str, lines: tuple[str, ...] = KEPT
) -> Part:
    """The server, on loopback only; data and configuration (mode 0600) are in ``directory``.

    It never evicts: losing a queue silently is worse than refusing a write.
    """
    directory.mkdir(mode=0o700, exist_ok=True)
    configuration = directory / "server.conf"
    settings = (
        "bind 127.0.0.1",
        f"port {port}",
        f"requirepass {password}",
        'save ""',
        "maxmemory-policy noeviction",
        "always-show-logo no",
        "set-proc-title no",
        "loglevel warning",
        f'dir "{directory}"',
        *lines,
    )
    write_private(configuration, "\n".join(settings) + "\n")
    return Part(name="redis", argv=(str(engine.program), str(configuration)), tier=Tier.SERVER)

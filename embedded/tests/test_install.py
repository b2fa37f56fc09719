"""The virtual environment: made when missing or broken, filled when a file changed."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from embedded.errors import StartError
from embedded.install import Venv
from embedded.tests.conftest import ROOT

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout with a virtual environment; each test installs a file of its own."""
    directory = tmp_path_factory.mktemp("checkout")
    (directory / "none.txt").touch()
    Venv(directory).prepare(["none.txt"])
    return directory


def test_a_file_is_installed_once_and_again_when_it_changed(root: Path) -> None:
    file = root / "requirements.txt"
    file.write_text("# nothing\n")

    assert Venv(root).prepare([file.name])
    assert not Venv(root).prepare([file.name])
    file.write_text("# still nothing\n")
    assert Venv(root).prepare([file.name])


def test_what_does_not_install_is_said_and_tried_again(
    root: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (root / "missing.txt").write_text("./no-such-package\n")

    for _ in range(2):
        with pytest.raises(StartError, match=r"Installing missing\.txt failed, see above"):
            Venv(root).prepare(["missing.txt"])
    assert "no-such-package" in capfd.readouterr().err


def test_engines_that_do_not_install_do_not_stop_the_start(
    root: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (root / "requirements-embedded.txt").write_text("./no-wheel-for-this-platform\n")

    assert Venv(root).prepare(["requirements-embedded.txt"])
    assert "the system's servers will do" in capfd.readouterr().out


def test_an_environment_whose_python_is_gone_is_made_anew(root: Path) -> None:
    venv = Venv(root)
    venv.python.unlink()
    venv.python.symlink_to(root / "a Python that was upgraded away")

    assert venv.prepare(["none.txt"])
    assert subprocess.call([venv.python, "-c", ""]) == 0  # noqa: S603  made above


def test_an_old_python_can_read_the_first_module_and_is_named(tmp_path: Path) -> None:
    source = (ROOT / "embedded" / "bootstrap.py").read_text()
    ast.parse(source, feature_version=(3, 6))
    old = (
        "import sys; sys.version_info = (3, 9, 2); from embedded import bootstrap; bootstrap.main()"
    )

    done = subprocess.run(  # noqa: S603  our own module
        [sys.executable, "-c", old],
        cwd=ROOT,
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1
    assert "needs Python 3.11 or newer" in done.stderr
    assert "is Python 3.9.2" in done.stderr
    assert "make up PYTHON=" in done.stderr


def test_a_newer_python_of_the_machine_is_used_instead(tmp_path: Path) -> None:
    newer = tmp_path / "python3.12"
    newer.write_text('#!/bin/sh\n[ "$1" = -c ] || echo "3.12 got: $*"\n')
    newer.chmod(0o755)
    old = (
        "import sys; sys.version_info = (3, 9, 2); from embedded import bootstrap; bootstrap.main()"
    )

    done = subprocess.run(  # noqa: S603  our own module
        [sys.executable, "-c", old, "a.txt", "--", "-m", "x"],
        cwd=ROOT,
        env={"PATH": f"{tmp_path}:{os.defpath}"},
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout == "3.12 got: -m embedded.bootstrap a.txt -- -m x\n"

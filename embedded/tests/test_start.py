"""Before anything starts: what the environment says, what is in the way, and how that is told."""

from __future__ import annotations

import errno
import os
import socket
import stat
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from embedded import config, disk, files, ports
from embedded.errors import StartError, one_sentence
from embedded.tests.conftest import ROOT

if TYPE_CHECKING:
    from pathlib import Path


def start(command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run ``python -m embedded COMMAND`` as make does."""
    return subprocess.run(  # noqa: S603  our own module
        [sys.executable, "-m", "embedded", command],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_port_in_use_is_one_sentence_with_the_fix(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        done = start("up", CHRONOS_PORT=str(port), CHRONOS_DATA_DIR=str(tmp_path))

    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert f"Port {port} is in use by another program" in done.stderr
    assert "make up CHRONOS_PORT=" in done.stderr


@pytest.mark.parametrize("value", ["0", "65536", "http", "-1", "80.5"])
def test_a_port_that_cannot_be_is_one_sentence(value: str) -> None:
    done = start("check", CHRONOS_PORT=value)

    assert done.returncode == 1
    assert done.stderr == (
        f"chronos: CHRONOS_PORT is '{value}': give a whole number from 1 to 65535.\n"
    )


def test_a_full_disk_is_said_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(StartError, match=r"needs 1000000000000 MB .* CHRONOS_DATA_DIR"):
        disk.require(tmp_path / "not" / "yet" / "there", 10**18, otherwise=disk.DATA)

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EACCES, errno.EDQUOT])
def test_a_trouble_of_the_disk_ends_in_one_sentence(number: int) -> None:
    with pytest.raises(SystemExit, match=r"chronos: .*/data.*CHRONOS_DATA_DIR"), one_sentence():
        raise OSError(number, os.strerror(number), "/data/file")


def test_a_data_directory_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    done = start("check", CHRONOS_DATA_DIR=str(tmp_path / "file" / "data"))

    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "CHRONOS_DATA_DIR" in done.stderr


def test_secrets_are_random_kept_and_only_for_their_owner(tmp_path: Path) -> None:
    first = files.load_secrets(tmp_path)

    assert files.load_secrets(tmp_path) == first
    assert len(set(first.values())) == len(files.SECRETS)
    assert min(map(len, first.values())) >= 64
    assert stat.S_IMODE((tmp_path / "secrets.json").stat().st_mode) == 0o600


def test_lost_secrets_of_a_database_are_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "pg-18").mkdir()

    with pytest.raises(StartError, match=r"secrets\.json, with its password, is missing"):
        files.load_secrets(tmp_path)


def test_the_environment_file_is_private_and_reads_back(tmp_path: Path) -> None:
    values = {"REDIS_URL": "redis://:a'b $c@127.0.0.1/0", "EMPTY": ""}

    files.write_environment(tmp_path / "env", values)

    shell = subprocess.run(
        ["/bin/sh", "-c", '. ./env; printf %s "$REDIS_URL"'],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert shell.stdout == values["REDIS_URL"]
    assert stat.S_IMODE((tmp_path / "env").stat().st_mode) == 0o600


def test_dotenv_understands_what_people_write(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    lines = ["# A=0", "A=1", "export B = two words ", "C='x=y'", 'D="q"', "", "nonsense", "E="]
    path.write_text("\n".join([*lines, "F=1 # one", "G='a # b'"]))

    assert config.dotenv(path) == {
        "A": "1",
        "B": "two words",
        "C": "x=y",
        "D": "q",
        "E": "",
        "F": "1",
        "G": "a # b",
    }


def test_defaults_suit_a_first_start() -> None:
    read = config.read({})

    assert (read.port, read.beats, read.data_dir) == (8080, 2, ROOT / ".chronos")


def test_the_admin_password_is_not_for_every_part() -> None:
    read = config.read({"CHRONOS_ADMIN_PASSWORD": "pw", "CHRONOS_PORT": "9000"})

    assert read.admin_password == "pw"
    assert read.environment["CHRONOS_PORT"] == "9000"
    assert "pw" not in read.environment.values()


def test_a_free_port_is_picked_when_the_preferred_one_is_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        taken = server.getsockname()[1]
        picked = ports.pick(taken)

    assert picked != taken
    assert ports.problem(picked) is None


def test_a_command_beside_nothing_says_what_to_start(tmp_path: Path) -> None:
    (tmp_path / "env").touch()
    done = subprocess.run(
        [sys.executable, "-m", "embedded", "run", "manage.py", "check"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "CHRONOS_DATA_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stderr) == (
        1,
        "chronos: Chronos does not run: start it with `make up` in another terminal.\n",
    )

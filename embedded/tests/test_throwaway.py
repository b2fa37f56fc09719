"""Servers of a test run: real, private, and gone with it, however it ends."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import redis

from embedded.tests.conftest import ROOT, eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

PROGRAM = """
import sys
from embedded.throwaway import ThrowAway
servers = ThrowAway()
print(servers.directory, servers.postgres(), servers.redis(), flush=True)
sys.stdin.read()
"""


@pytest.fixture
def run() -> Iterator[subprocess.Popen[str]]:
    """A process with throw-away servers; it ends in order when its input ends."""
    process = subprocess.Popen(  # noqa: S603  our own program
        [sys.executable, "-c", PROGRAM],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    yield process
    process.communicate()


def processes_in(directory: Path) -> list[str]:
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = entry.read_bytes().decode(errors="replace")
        except OSError:
            continue  # it ended while we looked
        if str(directory) in words:
            found.append(words)
    return found


def test_they_end_with_the_process(run: subprocess.Popen[str]) -> None:
    assert run.stdout
    directory = Path(run.stdout.readline().split()[0])
    assert len(processes_in(directory)) == 3  # PostgreSQL, Valkey, the watchdog

    run.communicate()

    assert run.returncode == 0
    assert processes_in(directory) == []
    assert not directory.exists()


def test_they_end_with_a_killed_process(run: subprocess.Popen[str]) -> None:
    assert run.stdout
    directory = Path(run.stdout.readline().split()[0])

    run.kill()

    eventually(lambda: processes_in(directory) == [])
    eventually(lambda: not directory.exists())


def test_nobody_gets_in_without_the_password_of_this_run(run: subprocess.Popen[str]) -> None:
    assert run.stdout
    _, _, url = run.stdout.readline().split()
    with redis.Redis.from_url(url) as ours:
        assert ours.ping()

    with (
        redis.Redis.from_url("redis://" + url.partition("@")[2]) as stranger,
        pytest.raises(redis.AuthenticationError),
    ):
        stranger.ping()


def test_servers_that_others_named_are_taken_and_those_of_another_run_are_not() -> None:
    show = "import embedded.pytest_plugin, os; print(os.environ['REDIS_URL'])"
    named = {"DATABASE_URL": "postgres://me@127.0.0.1:1/x", "REDIS_URL": "redis://127.0.0.1:1/0"}

    def taken(**given: str) -> str:
        return subprocess.run(  # noqa: S603  our own program
            [sys.executable, "-c", show],
            cwd=ROOT,
            env=named | given,
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()

    assert taken() == named["REDIS_URL"]
    assert taken(CHRONOS_TEST_SERVERS="REDIS_URL") != named["REDIS_URL"]

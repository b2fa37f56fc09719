"""Finding what was left running, and ending it with all that it started."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import psutil
import pytest

from lib import processes
from tests.waiting import eventually

FAMILY = "trap '' TERM; sleep 300 & setsid sleep 300 & sleep 300"


@pytest.fixture
def family() -> Iterator[psutil.Process]:
    """A shell that ignores SIGTERM, with three children, one of them in a session of its own."""
    shell = subprocess.Popen(["/bin/sh", "-c", FAMILY], env=os.environ | {"A_MARK": "of-a-test"})  # noqa: S603  our own words
    process = psutil.Process(shell.pid)
    eventually(lambda: len(process.children()) == 3, within=10)
    yield process
    for one in processes.tree(process):
        one.kill()
    shell.wait()


def alive(family: list[psutil.Process]) -> list[psutil.Process]:
    return [one for one in family if one.is_running() and one.status() != psutil.STATUS_ZOMBIE]


def test_a_tree_is_killed_to_the_last(family: psutil.Process) -> None:
    everyone = processes.tree(family)

    killed = processes.kill_all(lambda: processes.tree(family))

    assert killed == len(everyone) == 4
    assert alive(everyone) == []


def test_a_process_is_known_by_the_mark_in_its_environment(family: psutil.Process) -> None:
    assert set(processes.carrying("of-a-test")) == set(processes.tree(family))
    assert processes.carrying("of-no-test") == []


def test_one_that_somebody_else_waits_for_is_killed_but_not_buried() -> None:
    child = subprocess.Popen(["/bin/sleep", "300"])
    process = psutil.Process(child.pid)

    killed = processes.kill_all(lambda: [process], spare=lambda one: one.pid == child.pid)

    assert killed == 1
    assert child.wait(timeout=5) == -signal.SIGKILL  # nobody has taken its status away


def test_a_process_knows_whether_it_has_children() -> None:
    script = (
        "import subprocess; from lib import processes as p; a = p.has_children();"
        "c = subprocess.Popen(['sleep', '9']); b = p.has_children(); c.kill(); c.wait();"
        "print(a, b, p.has_children())"
    )

    said = subprocess.run(  # noqa: S603  our own words
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )

    assert said.stdout.split() == ["False", "True", "False"]

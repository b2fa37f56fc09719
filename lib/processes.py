"""Processes that code has left behind: finding them, and ending them with all they started.

Complete on Linux. Elsewhere there is no subreaper: an orphan goes to init and only its environment
still tells where it came from.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

LINUX = sys.platform.startswith("linux")
PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
PAUSE_SECONDS = 0.01


def become_subreaper() -> bool:
    """Let orphans among the descendants of this process become its children; say whether it does.

    The setting is not inherited by children.
    """
    return _prctl(PR_SET_CHILD_SUBREAPER, 1)


def freeze_with_parent() -> bool:
    """Stop this process where it is when its parent dies; say whether that can be done.

    A process that is killed instead lets go of its own descendants before anybody has seen them.
    """
    return _prctl(PR_SET_PDEATHSIG, signal.SIGSTOP)


def has_children() -> bool:
    """Say whether this process has any child, dead or alive; costs one system call."""
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True


def tree(root: psutil.Process) -> list[psutil.Process]:
    """``root`` and all its descendants, as far as they are there."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return [root, *root.children(recursive=True)]
    return []


def descendants() -> list[psutil.Process]:
    """All descendants of this process."""
    return tree(psutil.Process())[1:]


def carrying(mark: str) -> list[psutil.Process]:
    """All processes with ``mark`` in their environment or in the name of memory that they share.

    The first finds what was executed, the second what was only forked. Processes of other users
    are not looked into.
    """
    here = os.getpid()
    return [one for one in psutil.process_iter() if one.pid != here and _carries(one.pid, mark)]


def kill_all(
    find: Callable[[], Iterable[psutil.Process]],
    *,
    spare: Callable[[psutil.Process], bool] = lambda _: False,
    within: float = 5.0,
) -> int:
    """Kill what ``find`` finds, again and again until it finds nothing; return how many.

    All are stopped before the first is killed, so none can start another meanwhile. Those that
    ``spare`` names are killed but left for somebody else to wait for. Gives up after ``within``
    seconds.
    """
    deadline = time.monotonic() + within
    stopped: set[psutil.Process] = set()
    while time.monotonic() < deadline:
        found = {one for one in find() if not _buried(one, spare)}
        if not found:
            break
        fresh = found - stopped
        for one in fresh or found:
            _send(one, signal.SIGSTOP if fresh else signal.SIGKILL)
        stopped |= fresh
        if not fresh:
            time.sleep(PAUSE_SECONDS)
    return len(stopped)


def _prctl(option: int, value: int) -> bool:
    return LINUX and bool(ctypes.CDLL(None).prctl(option, value, 0, 0, 0) == 0)


def _carries(pid: int, mark: str) -> bool:
    wanted = mark.encode()
    with contextlib.suppress(OSError):
        return any(wanted in Path(f"/proc/{pid}/{file}").read_bytes() for file in _MARKED)
    with contextlib.suppress(psutil.Error):
        return not LINUX and mark in psutil.Process(pid).environ().values()
    return False


_MARKED = ("environ", "maps")


def _buried(one: psutil.Process, spare: Callable[[psutil.Process], bool]) -> bool:
    """Say whether ``one`` is over, and wait for it if it is a child of this process."""
    try:
        if one.status() != psutil.STATUS_ZOMBIE:
            return False
        if one.ppid() == os.getpid() and not spare(one):
            os.waitpid(one.pid, os.WNOHANG)
    except (psutil.NoSuchProcess, ChildProcessError):
        pass
    return True


def _send(one: psutil.Process, signum: int) -> None:
    with contextlib.suppress(psutil.Error):  # over already, or of another user
        one.send_signal(signum)

"""The machine under the measurements: what it is, how quiet it is, how dear a commit is."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import psutil

from benchmarks import accounting

LOOK_SECONDS = 2.0
FLUSHES = 500
PAGE = b"x" * 8192


def describe() -> dict[str, str]:
    return {
        "processor": f"{os.cpu_count()} x {_processor()}",
        "memory": f"{psutil.virtual_memory().total / 2**30:.0f} GiB",
        "system": f"{platform.system()} {platform.release()}",
        "Python": platform.python_version(),
        "Node.js": _node(),
        "disk": f"{flushes():,.0f} fdatasync/s".replace(",", " "),
    }


def wait_until_quiet(seconds: float, percent: float) -> float:
    """Wait until others use less than ``percent`` of a core, at most ``seconds``.

    Returns what they used when it was last looked.
    """
    deadline = time.monotonic() + seconds
    while True:
        before = accounting.machine().busy
        time.sleep(LOOK_SECONDS)
        used = 100 * (accounting.machine().busy - before) / LOOK_SECONDS
        if used < percent or time.monotonic() > deadline:
            return used


def flushes() -> float:
    """How often a second a page can be written and flushed where the databases will be."""
    with tempfile.TemporaryFile() as file:
        began = time.perf_counter()
        for _ in range(FLUSHES):
            os.pwrite(file.fileno(), PAGE, 0)
            os.fdatasync(file.fileno())
        return FLUSHES / (time.perf_counter() - began)


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _node() -> str:
    node = shutil.which("node")
    if node is None:
        return "none"
    asked = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)  # noqa: S603  what PATH names
    return asked.stdout.strip()

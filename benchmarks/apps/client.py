"""The process that submits: ``python -m benchmarks.apps.client MODULE`` obeys lines of JSON.

MODULE has ``submit(index, submitted, milliseconds)`` and what else its platform can do, as plain or
as coroutine functions: ``start()``, ``submit_at(index, due)``, ``tick(seconds)``,
``fill(count, every, first, rate)``, ``add(index, due, every)``, and verbs of its own.
"""

from __future__ import annotations

import asyncio
import importlib
import inspect
import json
import os
import sys
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType


class Submitter:
    """Verbs that are made of ``submit`` and ``submit_at``; all others are the module's own."""

    def __init__(self, module: ModuleType) -> None:
        self._module = module
        self._loop = asyncio.new_event_loop()
        asyncio.set_event_loop(self._loop)

    def do(self, verb: str, args: list[Any]) -> Any:
        """``verb`` is ``burst``, ``paced``, ``at`` or a function of the module."""
        own: dict[str, Callable[..., Any]] = {
            "burst": self._burst,
            "paced": self._paced,
            "at": self._at,
        }
        return (own.get(verb) or self._of_module(verb))(*args)

    def _burst(self, count: int, first: int = 0, milliseconds: int = 0) -> None:
        """Submit ``count`` jobs, one call each, as fast as it goes."""
        submit = self._of_module("submit")
        for index in range(first, first + count):
            submit(index, time.time(), milliseconds)

    def _paced(self, count: int, gap: float) -> None:
        """Submit one job each ``gap`` seconds."""
        submit = self._of_module("submit")
        due = time.monotonic()
        for index in range(count):
            time.sleep(max(0.0, due - time.monotonic()))
            submit(index, time.time(), 0)
            due += gap

    def _at(self, count: int, due: float) -> None:
        """Submit ``count`` jobs that are due at the Unix time ``due``."""
        submit_at = self._of_module("submit_at")
        for index in range(count):
            submit_at(index, due)

    def _of_module(self, name: str) -> Callable[..., Any]:
        function: Callable[..., Any] = getattr(self._module, name)
        if not inspect.iscoroutinefunction(function):
            return function
        return lambda *args: self._loop.run_until_complete(function(*args))


def main() -> None:
    told = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a library prints is no answer
    submitter = Submitter(importlib.import_module(sys.argv[1]))
    answer(told, lambda: submitter.do("start", []))
    for line in sys.stdin:
        command = json.loads(line)
        answer(told, lambda said=command: submitter.do(said["verb"], said["args"]))  # type: ignore[misc]


def answer(told: Any, work: Callable[[], Any]) -> None:
    said: dict[str, Any] = {"began": time.time(), "result": None, "error": ""}
    try:
        said["result"] = work()
    except Exception as exc:  # noqa: BLE001  the harness decides what it means
        said["error"] = f"{type(exc).__name__}: {exc}"[:500]
    said["ended"] = time.time()
    told.write(json.dumps(said) + "\n")
    told.flush()


if __name__ == "__main__":
    main()

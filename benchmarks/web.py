"""A contender's web process on its stand, and requests to it."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

from benchmarks.environments import ROOT
from benchmarks.load import HOST
from embedded import ports

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benchmarks.stand import Stand

START_SECONDS = 30.0


class WebError(Exception):
    """The server did not start, or refused a request."""


class Web:
    """Started when made, on a port of its own; ends with the stand."""

    def __init__(self, stand: Stand) -> None:
        assert stand.contender.web is not None  # noqa: S101  asked for those that have one
        self.port = ports.free()
        child = stand.start(stand.contender.web, "web", port=self.port)
        stand.others.append(child)
        self.pid = child.running.pid
        self._wait()

    def load(
        self, request: Mapping[str, Any], *, seconds: float, connections: int
    ) -> tuple[list[float], float]:
        """Send ``request`` for so long; return the seconds that each took, and all took.

        Raises ``WebError`` if one was refused: an error is no work.
        """
        told = {"request": dict(request), "seconds": seconds, "connections": connections}
        done = subprocess.run(  # noqa: S603  our own module
            [sys.executable, "-m", "benchmarks.load", str(self.port)],
            input=json.dumps(told),
            capture_output=True,
            text=True,
            cwd=ROOT,
            check=True,
        )
        answer = json.loads(done.stdout)
        if answer["faults"] or not answer["took"]:
            raise WebError("; ".join(answer["faults"]) or "no answers")
        return answer["took"], answer["seconds"]

    def _wait(self) -> None:
        """Until anything is answered, be it that there is no such page."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            try:
                connection = http.client.HTTPConnection(HOST, self.port, timeout=5)
                connection.request("GET", "/nothing")
                connection.getresponse().read()
            except OSError:
                time.sleep(0.05)
            else:
                return
        raise WebError("the web process did not start")

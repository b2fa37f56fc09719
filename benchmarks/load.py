"""Sends one request over and over on a few connections: ``python -m benchmarks.load PORT``.

It reads the request and the sizes as JSON, and answers in JSON with how long each took. A thread
for each connection, kept open, on the standard library alone: small beside what it measures.
"""

from __future__ import annotations

import http.client
import json
import sys
import threading
import time
from dataclasses import dataclass, field
from typing import Any

HOST = "127.0.0.1"
TIMEOUT = 30  # seconds
REFUSED = 300  # statuses from here on are no success


@dataclass
class Load:
    """``seconds`` of ``connections``; what came of it."""

    port: int
    seconds: float
    connections: int
    request: dict[str, Any]
    took: list[float] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def run(self) -> float:
        """Return how many seconds it really was."""
        began = time.monotonic()
        threads = [
            threading.Thread(target=self._send, args=[began + self.seconds])
            for _ in range(self.connections)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return time.monotonic() - began

    def _send(self, until: float) -> None:
        connection = http.client.HTTPConnection(HOST, self.port, timeout=TIMEOUT)
        body = json.dumps(self.request["body"]) if self.request.get("body") is not None else None
        headers = {"Content-Type": "application/json", **self.request.get("headers", {})}
        while time.monotonic() < until:
            began = time.perf_counter()
            connection.request(self.request["method"], self.request["path"], body, headers)
            answer = connection.getresponse()
            text = answer.read()
            if answer.status >= REFUSED:
                self.faults.append(f"{answer.status}: {text[:300]!r}")
                return
            self.took.append(time.perf_counter() - began)


def main() -> None:
    load = Load(int(sys.argv[1]), **json.load(sys.stdin))
    seconds = load.run()
    json.dump({"seconds": seconds, "took": load.took, "faults": load.faults[:1]}, sys.stdout)


if __name__ == "__main__":
    main()

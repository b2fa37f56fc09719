"""A server that HTTP jobs call in tests: it remembers every request, with its time, and tells."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import asdict, dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from types import TracebackType

LONGEST = 120.0  # seconds that a request waits for an open gate; then it is answered all the same


@dataclass(frozen=True)
class Hit:
    """One request, as it came in. ``at`` is in seconds since the epoch."""

    at: float
    path: str
    headers: dict[str, str]

    @property
    def execution(self) -> str:
        return self.headers.get("X-Chronos-Execution-Id", "")

    @property
    def attempt(self) -> int:
        return int(self.headers.get("X-Chronos-Attempt", 0))


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 512  # a load that arrives at once must not be refused by the kernel

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Callers are killed on purpose: that they hang up is no news."""


@dataclass
class Target:
    """Answers 200 after ``delay`` seconds; ``hits`` are all requests, also those cut off.

    ``?seconds=2`` in the path adds its own delay. A path that begins with ``/gated`` is answered
    only while ``gate`` is open, so a test decides how long a request lasts. The answer names the
    attempt that asked: ``{"attempt": 2}``. ``GET /hits`` tells all hits as JSON and is not one.
    """

    delay: float = 0.0
    hits: list[Hit] = field(default_factory=list)
    gate: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.gate.set()

    def __enter__(self) -> Target:
        target = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if self.path == "/hits":
                    self._answer([asdict(hit) for hit in target.hits])
                    return
                hit = Hit(time.time(), self.path, dict(self.headers))
                target.hits.append(hit)
                target.wait(self.path)
                self._answer({"attempt": hit.attempt})

            def do_POST(self) -> None:
                self.do_GET()

            def _answer(self, body: Any) -> None:
                text = json.dumps(body).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *args: Any) -> None:
                """Say nothing."""

        self._server = _Server(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.gate.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def wait(self, path: str) -> None:
        """Last as long as a request for ``path`` is to last."""
        asked = parse_qs(urlsplit(path).query).get("seconds", ["0"])[0]
        time.sleep(self.delay + float(asked))
        if path.startswith("/gated"):
            self.gate.wait(LONGEST)

    @property
    def url(self) -> str:
        host, port = self._server.server_address[:2]
        return f"http://{host!s}:{port}"

"""A real web process for tests, and questions to it that are timed."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.utils.datastructures import CaseInsensitiveMapping

from embedded import ports
from tests.stack import ROOT, START_SECONDS, database_url
from tests.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

HANGS_AFTER = 15  # seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What came back, and after how many seconds; status 0 when nothing did."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    seconds: float

    @property
    def is_good(self) -> bool:
        return 200 <= self.status < 300

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Web:
    """``uvicorn`` as it is started everywhere, on the test's database and broker or ``env``'s."""

    env: Mapping[str, str] = field(default_factory=dict)

    def __enter__(self) -> Web:
        self.port = ports.free()
        self._log = tempfile.TemporaryFile()  # closed with the process
        self._process = subprocess.Popen(
            [
                *(sys.executable, "-m", "uvicorn", "chronos_project.asgi:application"),
                *("--no-access-log", "--lifespan", "off", "--host", ports.LOOPBACK),
                *("--port", str(self.port)),
            ],
            cwd=ROOT,
            env=os.environ
            | {
                "DATABASE_URL": database_url(),
                "CHRONOS_PROCESS": "web",
                "CHRONOS_DB_POOL_SIZE": "16",
            }
            | dict(self.env),
            stdout=self._log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        eventually(lambda: self.ask("GET", "/health/live").is_good, within=START_SECONDS)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is not None:
            self._log.seek(0)
            print(self._log.read().decode(errors="replace")[-4000:])  # noqa: T201  with the failure
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._log.close()

    def ask(
        self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> Reply:
        """Send one request on a connection of its own. ``body`` is sent as JSON."""
        assert self._process.poll() is None
        started = time.monotonic()
        connection = http.client.HTTPConnection(ports.LOOPBACK, self.port, timeout=HANGS_AFTER)
        try:
            data = None if body is None else json.dumps(body)
            kind = {} if body is None else {"Content-Type": "application/json"}
            connection.request(method, path, data, {**kind, **(headers or {})})
            answer = connection.getresponse()
            status, told, read = answer.status, answer.headers.items(), answer.read()
        except (OSError, http.client.HTTPException):
            status, told, read = 0, [], b""
        finally:
            connection.close()
        headers = CaseInsensitiveMapping(dict(told))
        return Reply(status=status, headers=headers, body=read, seconds=time.monotonic() - started)

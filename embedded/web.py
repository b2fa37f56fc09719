"""Asks a web server on this machine, without the proxies that the environment may name."""

from __future__ import annotations

import http.client

from embedded.ports import LOOPBACK

WAIT_SECONDS = 5


def get(port: int, path: str) -> tuple[int, str]:
    """Status and body of ``path`` at ``port``; status 0 and the reason when nobody answers."""
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=WAIT_SECONDS)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode("utf-8", errors="replace")
    except (OSError, http.client.HTTPException) as exc:
        return 0, str(exc)
    finally:
        connection.close()

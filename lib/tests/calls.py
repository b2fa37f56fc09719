"""How the tests call outside, and the resolver that answers as they like."""

from __future__ import annotations

import socket
from typing import Any

from lib import egress


class Resolver:
    """Stands in for the network's resolver: the n-th look-up gets the n-th list of addresses."""

    def __init__(self) -> None:
        self.answers: list[list[str]] = []
        self.asked: list[str] = []

    def __call__(self, host: str, port: int, **_: Any) -> list[Any]:
        self.asked.append(host)
        addresses = self.answers[min(len(self.asked), len(self.answers)) - 1]
        return [
            (socket.AF_INET6 if ":" in address else socket.AF_INET, 1, 6, "", (address, port))
            for address in addresses
        ]


def call(url: str, *, method: str = "GET", timeout: float = 5, **rest: Any) -> egress.Answer:
    return egress.request(method, url, headers=rest.pop("headers", {}), timeout=timeout, **rest)

"""What the tests of calls outside share."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from lib import egress
from lib.egress import client
from lib.tests.calls import Resolver

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def loopback() -> Iterator[None]:
    """Open loopback to calls, as an operator may."""
    before = [str(network) for network in client._allowed]
    egress.configure(allow_private=["127.0.0.0/8", "::1/128"])
    yield
    egress.configure(allow_private=before)


@pytest.fixture
def resolver(monkeypatch: pytest.MonkeyPatch) -> Resolver:
    made = Resolver()
    monkeypatch.setattr(socket, "getaddrinfo", made)
    return made

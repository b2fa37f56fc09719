"""The one door outside: HTTP with an address check, a total deadline and a limit on size.

``request`` makes one call. ``check_url`` and ``check_headers`` say beforehand what it would refuse
without the network; ``configure`` opens private networks for the process, once, at its start.
"""

from __future__ import annotations

from lib.egress.client import Answer, check_url, configure, request
from lib.egress.errors import (
    DeadlineError,
    EgressError,
    ForbiddenTargetError,
    InvalidHeaderError,
    InvalidUrlError,
    StoppedError,
    UnreachableError,
)
from lib.egress.targets import METHODS, check_headers

__all__ = [
    "METHODS",
    "Answer",
    "DeadlineError",
    "EgressError",
    "ForbiddenTargetError",
    "InvalidHeaderError",
    "InvalidUrlError",
    "StoppedError",
    "UnreachableError",
    "check_headers",
    "check_url",
    "configure",
    "request",
]

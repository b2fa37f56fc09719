"""What can go wrong on the way outside.

EgressError
├── InvalidUrlError         the text is no URL that Chronos calls
├── InvalidHeaderError      a header that would break the request, or is not for callers to set
├── ForbiddenTargetError    the URL is fine, its target is not: a private, local or metadata address
├── UnreachableError        no usable answer: name unknown, refused, reset, bad TLS, not HTTP
├── DeadlineError           the call was not over in time
└── StoppedError            somebody asked the call to stop
"""

from __future__ import annotations


class EgressError(Exception):
    """A call outside that was not made, or brought no answer. Its text may be shown to users."""


class InvalidUrlError(EgressError):
    pass


class InvalidHeaderError(EgressError):
    pass


class ForbiddenTargetError(EgressError):
    pass


class UnreachableError(EgressError):
    pass


class DeadlineError(EgressError):
    pass


class StoppedError(EgressError):
    pass

"""What caused a failure, as one short key: the same on other ids, lines, hosts and times."""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OURS = frozenset(["accounts", "alerts", "chronos_project", "cli", "console", "embedded"])
OURS |= frozenset(["executions", "jobs", "lib", "manage.py"])
UNKNOWN = "0" * 32
"""Stands for the causes of what failed before causes were recorded."""

LONGEST_MESSAGE = 2000  # characters that are looked at; what tells causes apart stands in front

_FRAME = re.compile(r'^[ |]*File "([^"\n]+)", line \d+, in (.+)$', re.MULTILINE)
_RAISED = re.compile(r"^([A-Za-z_][\w.]*)(?=:|$)", re.MULTILINE)
_CHAIN = re.compile(
    r"\n(?:The above exception was the direct cause of|During handling of the above exception,)"
)
_LIBRARY = re.compile(r"^<|/(?:site-packages|dist-packages|lib/python\d[\d.]*|lib/pypy\d[\d.]*)/")

# In this order: what is longer and more special goes first, so that no number is cut out of an id.
_VARYING = [
    (re.compile(pattern, re.IGNORECASE), placeholder)
    for pattern, placeholder in (
        (r"\b[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}\b", "<uuid>"),
        (r"\b[a-z][a-z0-9+.-]{1,20}://[^\s'\"<>]+", "<address>"),
        (r"'[^'\n]{0,500}'(?!\w)|\"[^\"\n]{0,500}\"|`[^`\n]{0,500}`", "<text>"),
        (r"[\w.+-]{1,100}@[\w.-]{1,200}", "<address>"),
        (
            r"\b\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?",
            "<time>",
        ),
        (r"\b\d{1,2}:\d\d:\d\d(?:[.,]\d+)?(?: ?UTC|Z)?\b", "<time>"),
        (r"\b\d{1,3}(?:\.\d{1,3}){3}(?::\d{1,5})?\b", "<address>"),
        (r"\[?(?:\b[0-9a-f]{1,4})?(?::{1,2}[0-9a-f]{1,4}){3,7}\b\]?(?::\d{1,5})?", "<address>"),
        (r"\b(?:[a-z0-9-]{1,63}\.){1,8}[a-z0-9-]{1,63}:\d{1,5}\b|\blocalhost:\d{1,5}", "<address>"),
        (r"(?<![\w>])(?:[a-z]:\\|~?/|\.{1,2}/)[\w.@%+~\\/-]*[\w~\\/-]", "<path>"),
        (r"\b0x[0-9a-f]+\b", "<hex>"),
        (r"\b(?=[a-f]*\d)(?=\d*[a-f])[0-9a-f]{8,}\b", "<hex>"),
    )
]
# A status or an error number says what went wrong, any other number with what.
_NUMBER = re.compile(
    r"(?P<kept>\b(?:http|status|errno|error|code|signal|exit(?:ed)?)"
    r"(?:[ =:([]|with ){1,3}\d{1,5}\b)"
    r"|(?<![a-z])[-+]?\d+(?:[.,]\d+)*",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Cause:
    """Why an attempt failed. ``error`` is the class that was raised, ``frame`` where, in the code
    of whoever wrote the job; both are empty when nothing was raised."""

    error: str = ""
    frame: str = ""
    fingerprint: str = ""


NO_CAUSE = Cause()


def cause(reason: str, *, message: str = "", trace: str = "") -> Cause:
    """Return the cause of a failure; its ``fingerprint`` has 32 hexadecimal digits.

    ``trace`` is a traceback as Python prints it, or empty.
    """
    error, frame = raised(trace), own_frame(trace)
    facts = "\0".join((reason, error, normalised(message), frame))
    digest = blake2b(facts.encode("utf-8", "replace"), digest_size=16)
    return Cause(error, frame, digest.hexdigest())


def normalised(message: str) -> str:
    """Return ``message`` with a placeholder for all that differs from one time to the next."""
    text = message[:LONGEST_MESSAGE]
    for pattern, placeholder in _VARYING:
        text = pattern.sub(placeholder, text)
    text = _NUMBER.sub(lambda found: found["kept"] or "<number>", text)
    return " ".join(text.split())


def raised(trace: str) -> str:
    """Return the class of the exception that ``trace`` ends with, with its module."""
    frames = list(_FRAME.finditer(trace))
    found = _RAISED.search(trace, frames[-1].end()) if frames else None
    return found[1][:200] if found else ""


def own_frame(trace: str) -> str:
    """Return the innermost function that is neither Chronos', nor Python's, nor a package's.

    Where a job is nothing but a package, that package's counts. Written as ``file:function`` with
    the last two parts of the path: releases are unpacked to ever new places.
    """
    for block in reversed(_CHAIN.split(trace)):
        frames = [frame for frame in _FRAME.findall(block) if not _is_ours(frame[0])]
        own = [frame for frame in frames if not _LIBRARY.search(frame[0])]
        packaged = [frame for frame in frames if "-packages/" in frame[0]]
        for path, function in (own or packaged)[-1:]:
            return f"{'/'.join(Path(path).parts[-2:])}:{function}"
    return ""


def _is_ours(path: str) -> bool:
    try:
        inside = Path(path).relative_to(ROOT)
    except ValueError:
        return False
    return bool(inside.parts) and inside.parts[0] in OURS

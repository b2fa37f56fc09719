"""What can keep Chronos from starting, said in one sentence with the fix."""

from __future__ import annotations

import contextlib
import errno
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


class StartError(Exception):
    """The start cannot go on; the text is one sentence for a person and names the fix."""


@contextlib.contextmanager
def one_sentence() -> Iterator[None]:
    """For troubles of the machine, end the process with status 1 and one sentence, no traceback."""
    try:
        yield
    except StartError as exc:
        sys.exit(f"chronos: {exc}")
    except OSError as exc:
        sentence = _SENTENCES.get(exc.errno or 0)
        if sentence is None:
            raise
        sys.exit(f"chronos: {sentence.format(path=exc.filename or 'the data directory')}")


_ELSEWHERE = "or name another place with CHRONOS_DATA_DIR=/some/directory"
_SENTENCES = {
    errno.ENOSPC: f"The disk of {{path}} is full: free some space, {_ELSEWHERE}.",
    errno.EDQUOT: f"Your disk quota for {{path}} is used up: free some space, {_ELSEWHERE}.",
    errno.EROFS: f"{{path}} is on a read-only file system: make it writable, {_ELSEWHERE}.",
    errno.EACCES: f"You may not write {{path}}: change its owner or mode, {_ELSEWHERE}.",
    errno.EPERM: f"You may not write {{path}}: change its owner or mode, {_ELSEWHERE}.",
}

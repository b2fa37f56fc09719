"""Who PostgreSQL runs as: ourselves, or somebody else when we are root."""

from __future__ import annotations

import contextlib
import functools
import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from embedded.errors import StartError

if TYPE_CHECKING:
    from collections.abc import Sequence

NAMESPACE = ("unshare", "--user", "--map-user=65534", "--map-group=65534")


@dataclass(frozen=True, slots=True)
class Account:
    """Who PostgreSQL runs as; it refuses root.

    In a user namespace of its own root looks like nobody to it, and files stay root's. Where
    that is forbidden (containers) it must be a real other user, who can reach the files.
    """

    prefix: tuple[str, ...] = ()
    user: int | None = None
    group: int | None = None

    def run(
        self, words: Sequence[Path | str], *, cwd: Path, text: str = ""
    ) -> subprocess.CompletedProcess[str]:
        """Run a command to its end with ``text`` as its input; its errors are in ``stdout`` too.

        Raises ``PermissionError`` if the account may not reach the program.
        """
        return subprocess.run(  # noqa: S603  our own command line
            [*self.prefix, *words],
            cwd=cwd,
            input=text,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            start_new_session=True,
            user=self.user,
            group=self.group,
            extra_groups=None if self.user is None else [],
        )

    def may_run(self, program: Path) -> bool:
        try:
            return self.run([program, "--version"], cwd=Path("/")).returncode == 0
        except PermissionError:
            return False

    def give(self, *paths: Path) -> None:
        """Make the account the owner of ``paths``."""
        if self.user is not None and self.group is not None:
            for path in paths:
                os.chown(path, self.user, self.group)


@functools.cache
def account() -> Account:
    """Who PostgreSQL can run as here."""
    if os.geteuid() != 0:
        return Account()
    with contextlib.suppress(FileNotFoundError):
        probe = subprocess.run([*NAMESPACE, "true"], capture_output=True, check=False)  # noqa: S603  fixed
        if probe.returncode == 0:
            return Account(prefix=NAMESPACE)
    return other_user()


def other_user() -> Account:
    """The system's ``postgres``, else ``nobody``."""
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            entry = pwd.getpwnam(name)
            return Account(user=entry.pw_uid, group=entry.pw_gid)
    raise StartError("PostgreSQL does not run as root: start Chronos as another user.")

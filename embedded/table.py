"""The parts of Chronos and what they need to know: one table."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from embedded.part import Part, Tier
from embedded.ports import LOOPBACK

if TYPE_CHECKING:
    from collections.abc import Mapping

    from embedded.config import Config

CELERY = (sys.executable, "-m", "celery", "-q", "-A", "chronos_project")  # -q: no banners
WORKER = (*CELERY, "worker", "--without-gossip", "--without-mingle", "-O", "fair", "-E")
LEAVE_SECONDS = 25.0  # a worker has handed back its work and is gone so long after its own grace


def manage(*words: str, name: str, env: Mapping[str, str] | None = None) -> Part:
    """A Django command that runs once."""
    return Part(name, (sys.executable, "manage.py", *words), Tier.WEB, env or {})


def environment(
    config: Config,
    secrets: Mapping[str, str],
    *,
    database_url: str,
    redis_url: str,
    flower_port: int,
) -> dict[str, str]:
    """What every part knows. What the user said wins over what is only a default here."""
    defaults = {
        "CHRONOS_ENV": "development",
        "CHRONOS_APPS": "examples.newsletter",
        "CHRONOS_ADOPT_TASKS": "examples.newsletter.tasks.*",
        "CHRONOS_SECRET_KEY": secrets["CHRONOS_SECRET_KEY"],
        "CHRONOS_JWT_KEY": secrets["CHRONOS_JWT_KEY"],
        "DJANGO_SETTINGS_MODULE": "chronos_project.settings",
        "WEB_CONCURRENCY": "2",  # processes of uvicorn
    }
    ours = {
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "CHRONOS_FLOWER_URL": f"http://chronos:{secrets['FLOWER_PASSWORD']}@{LOOPBACK}:{flower_port}",
        "PYTHONUNBUFFERED": "1",
    }
    said = {name: value for name, value in config.environment.items() if value}
    return defaults | said | ours


def parts(config: Config, secrets: Mapping[str, str], *, flower_port: int) -> list[Part]:
    """Everything but the servers, in the order of the start."""
    beats = [_beat(f"beat-{number}") for number in range(1, config.beats + 1)]
    grace = config.worker_grace + LEAVE_SECONDS
    return [
        _web(config.port),
        _worker("io", "--pool", "threads", "--concurrency", "32", grace=grace),
        _worker("compute", "--pool", "prefork", "--concurrency", "2", grace=grace),
        *beats,
        _flower(config, secrets, flower_port),
    ]


def _web(port: int) -> Part:
    serve = ("-m", "uvicorn", "chronos_project.asgi:application")
    how = ("--no-access-log", "--lifespan", "off", "--timeout-graceful-shutdown", "5")
    where = ("--host", LOOPBACK, "--port", str(port))
    env = {"CHRONOS_PROCESS": "web", "CHRONOS_DB_POOL_SIZE": "16"}
    return Part("web", (sys.executable, *serve, *how, *where), Tier.WEB, env)


def _worker(fleet: str, *pool: str, grace: float) -> Part:
    """A fleet of threads shares a pool of connections; a forked child keeps one."""
    name = f"worker-{fleet}"
    size = "16" if "threads" in pool else "0"
    env = {"CHRONOS_FLEET": fleet, "CHRONOS_PROCESS": name, "CHRONOS_DB_POOL_SIZE": size}
    argv = (*WORKER, "-n", f"{fleet}@%h", *pool)
    return Part(name, argv, Tier.WORKER, env, grace=grace)


def _beat(name: str) -> Part:
    env = {"CHRONOS_BEAT_NAME": name, "CHRONOS_PROCESS": name}
    return Part(name, (*CELERY, "beat", "--pidfile="), Tier.CLOCK, env)


def _flower(config: Config, secrets: Mapping[str, str], port: int) -> Part:
    """Its options come by environment: a command line is for everybody to read."""
    env = {
        "CHRONOS_PROCESS": "flower",
        "FLOWER_ADDRESS": LOOPBACK,
        "FLOWER_PORT": str(port),
        "FLOWER_URL_PREFIX": "flower",
        "FLOWER_READ_ONLY": "true",
        "FLOWER_BASIC_AUTH": f"chronos:{secrets['FLOWER_PASSWORD']}",
        "FLOWER_COOKIE_SECRET": secrets["FLOWER_COOKIE_SECRET"],
        "FLOWER_ENABLE_EVENTS": "false",  # workers send them anyway (-E)
        "FLOWER_PERSISTENT": "true",  # else every restart forgets the tasks that attempts link to
        "FLOWER_DB": str(config.data_dir / "flower"),
        "FLOWER_STATE_SAVE_INTERVAL": "10000",  # milliseconds
    }
    return Part("flower", (*CELERY, "flower"), Tier.CLOCK, env)

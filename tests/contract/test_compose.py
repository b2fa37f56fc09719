"""The compose file and the Dockerfile, as far as they can be proven without an engine."""

from __future__ import annotations

import importlib.util
import re
import shlex
import socket
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.management import get_commands

from executions import clock, heartbeats
from executions.models import Beat, Worker

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docker-compose.yml").read_text()
COMPOSE = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {"web", "worker-io", "worker-compute", "beat", "flower", "migrate"}
LASTING = sorted(SERVICES.keys() - {"migrate"})
SECRET = re.compile(r"PASSWORD|SECRET|KEY|TOKEN|AUTH|_URL$")


def dockerfile(instruction: str) -> list[str]:
    text = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")
    return re.findall(rf"^{instruction} (.*)$", text, re.MULTILINE)


def test_all_parts_are_there() -> None:
    assert SERVICES.keys() == OURS | {"postgres", "redis"}


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_nothing_runs_as_root_or_with_rights_it_does_not_need(name: str) -> None:
    service = SERVICES[name]

    assert service["user"] in {"10001:10001", "postgres", "redis"}
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["read_only"] is True
    assert "privileged" not in service


def test_the_image_itself_does_not_run_as_root() -> None:
    assert dockerfile("USER") == ["10001:10001"]
    assert dockerfile("HEALTHCHECK")


@pytest.mark.parametrize("name", LASTING)
def test_every_lasting_service_has_a_health_check(name: str) -> None:
    check = SERVICES[name]["healthcheck"]

    assert check["test"][0] in {"CMD", "CMD-SHELL"}
    assert {"interval", "timeout", "start_period"} <= check.keys()


@pytest.mark.parametrize("name", sorted(OURS - {"migrate"}))
def test_parts_wait_for_servers_and_for_the_migration(name: str) -> None:
    assert SERVICES[name]["depends_on"] == {
        "migrate": {"condition": "service_completed_successfully"},
        "postgres": {"condition": "service_healthy"},
        "redis": {"condition": "service_healthy"},
    }


def test_only_web_is_published_and_only_on_this_machine() -> None:
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}

    assert published == {"web": ["${CHRONOS_BIND:-127.0.0.1}:${CHRONOS_PORT:-8080}:8080"]}
    assert COMPOSE["networks"]["inner"]["internal"] is True
    for name in ("postgres", "redis", "flower", "beat"):
        assert SERVICES[name]["networks"] == ["inner"]


def test_no_secret_has_a_value_or_a_default() -> None:
    for service in SERVICES.values():
        for name, value in service["environment"].items():
            if SECRET.search(name) and value is not None:
                assert re.search(r"\$\{\w+:\?[^}]+\}", value), f"{name} has a value"


def test_secrets_are_on_no_command_line() -> None:
    for service in SERVICES.values():
        assert not re.search(r"\$\{", str(service.get("command", "")))


def test_every_variable_is_in_the_example() -> None:
    example = (ROOT / ".env.example").read_text()
    named = set(re.findall(r"^#? ?(\w+)=", example, re.MULTILINE))
    taken_over = {name for name, value in COMPOSE["x-environment"].items() if value is None}

    assert set(re.findall(r"(?<!\$)\$\{(\w+)", TEXT)) | taken_over <= named


def test_servers_keep_their_data_and_never_evict() -> None:
    assert SERVICES["postgres"]["volumes"] == ["postgres:/var/lib/postgresql"]
    assert SERVICES["redis"]["volumes"] == ["redis:/data"]
    configuration = SERVICES["redis"]["command"][-1]
    for line in ("appendonly yes", "maxmemory-policy noeviction", "requirepass $$REDIS_PASSWORD"):
        assert line in configuration
    assert COMPOSE["volumes"].keys() == {"postgres", "redis"}


def commands() -> list[list[str]]:
    """Every command line of ours: of the services, of their health checks, of the image."""
    own = [SERVICES[name]["command"] for name in sorted(OURS - {"web", "migrate"})]
    own += [shlex.split(line) for line in SERVICES["migrate"]["command"][-1].split(" && ")]
    checks = [SERVICES[name]["healthcheck"]["test"][1:] for name in sorted(OURS - {"migrate"})]
    image = [yaml.safe_load(line) for line in dockerfile("CMD")]
    return own + checks + image


@pytest.mark.parametrize("command", commands(), ids=shlex.join)
def test_commands_name_what_exists(command: list[str]) -> None:
    program, *words = [word for word in command if word != "exec"]
    assert program == "python"
    match words:
        case ["-m", module, *_]:
            assert importlib.util.find_spec(module)
        case ["manage.py", name, *_]:
            assert name in get_commands()
        case ["-c", code]:
            compile(code, "health check", "exec")
        case _:
            pytest.fail(f"unknown: {command}")


@pytest.mark.parametrize("name", ["worker-io", "worker-compute", "beat"])
def test_celery_knows_the_options(name: str) -> None:
    from celery.bin.celery import celery  # noqa: PLC0415  its import takes a while

    words = SERVICES[name]["command"]
    assert words[:6] == ["python", "-m", "celery", "-q", "-A", "chronos_project"]

    command = celery.commands[words[6]]
    known = {option for parameter in command.params for option in parameter.opts}
    used = {word.partition("=")[0] for word in words[7:] if word.startswith("-")}
    assert used <= known


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("service", "model", "facts"),
    [
        ("beat", Beat, {}),
        ("worker-io", Worker, {"fleet": "io", "slots": 1, "queues": []}),
    ],
)
def test_a_pulse_check_follows_the_row_of_its_own_container(
    service: str, model: type[Beat | Worker], facts: dict[str, Any]
) -> None:
    code = SERVICES[service]["healthcheck"]["test"][-1]
    now = clock.now()

    def status() -> int:
        with pytest.raises(SystemExit) as ended:
            exec(code, {})  # noqa: S102  the code of the health check
        return int(ended.value.code or 0)

    heartbeats.Pulse(model, "x@another-container", **facts).touch(now)
    assert status() == 1
    heartbeats.Pulse(model, f"x@{socket.gethostname()}", **facts).touch(now - timedelta(minutes=1))
    assert status() == 1
    heartbeats.Pulse(model, f"x@{socket.gethostname()}", **facts).touch(now)
    assert status() == 0


def test_the_image_holds_what_runs_and_nothing_else() -> None:
    kept = {
        line.removeprefix("!")
        for line in (ROOT / ".dockerignore").read_text().splitlines()
        if line.startswith("!")
    }
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")}

    assert kept - packages == {"templates", "manage.py", "requirements.txt"}
    assert packages - kept == {"benchmarks", "embedded", "tests"}
    assert all((ROOT / name).exists() for name in kept)

"""`.env.example` names every variable that is read, and no other."""

from __future__ import annotations

import re
from pathlib import Path

from django.conf import settings

ROOT = Path(settings.BASE_DIR)
INTERNAL = {  # one part of the start tells another
    "CHRONOS_BEGAN",
    "CHRONOS_INSTALL_SECONDS",
    "CHRONOS_TEST_SERVERS",
    "CHRONOS_WORKER_MARK",
}


def read_somewhere() -> set[str]:
    sources = [
        path
        for package in ("chronos_project", "embedded", "accounts", "jobs", "executions", "lib")
        for path in (ROOT / package).rglob("*.py")
        if "tests" not in path.parts
    ]
    names = re.compile(r'"(CHRONOS_[A-Z_]+|DATABASE_URL|REDIS_URL)"')
    in_code = {name for path in sources for name in names.findall(path.read_text())}
    compose = (ROOT / "docker-compose.yml").read_text()
    return (in_code | set(re.findall(r"(?<!\$)\$\{(\w+)", compose))) - INTERNAL


def test_every_variable_is_documented_and_every_documented_one_is_read() -> None:
    text = (ROOT / ".env.example").read_text()
    documented = set(re.findall(r"^# ([A-Z_]+)=", text, re.MULTILINE))

    assert documented == read_somewhere()

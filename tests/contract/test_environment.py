"""`.env.example` names every variable that is read, and no other."""

from __future__ import annotations

import re
from pathlib import Path

from django.conf import settings

ROOT = Path(settings.BASE_DIR)
INTERNAL = {  # one part of the start tells another
    "CHRONOS_BEGAN",
    "CHRONOS_INSTALL_SECONDS",
    "CHRONOS_TEST_REDIS",
}


def read_by_code() -> set[str]:
    sources = [
        path
        for package in ("chronos_project", "embedded", "accounts", "jobs", "executions", "lib")
        for path in (ROOT / package).rglob("*.py")
        if "tests" not in path.parts
    ]
    names = re.compile(r'"(CHRONOS_[A-Z_]+|DATABASE_URL|REDIS_URL)"')
    return {name for path in sources for name in names.findall(path.read_text())} - INTERNAL


def test_every_variable_is_documented_and_every_documented_one_is_read() -> None:
    text = (ROOT / ".env.example").read_text()
    documented = set(re.findall(r"^# ([A-Z_]+)=", text, re.MULTILINE))

    assert documented == read_by_code()

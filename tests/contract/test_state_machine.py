"""The picture and the table of the state machine say what the code does."""

from __future__ import annotations

import re
from pathlib import Path

from django.conf import settings

from executions import transitions
from executions.models import FINISHED, Status

DOCUMENT = Path(settings.BASE_DIR) / "docs" / "state-machine.md"


def in_code() -> set[tuple[str, str]]:
    return {(start.value, end.value) for start, ends in transitions.NEXT.items() for end in ends}


def test_the_table_has_every_arrow_and_no_other() -> None:
    rows = re.findall(r"^\| (\w+) \| (\w+) \| `", DOCUMENT.read_text(), re.MULTILINE)

    assert set(rows) == in_code()
    assert len(rows) == len(set(rows))


def test_the_picture_has_every_arrow_and_no_other() -> None:
    arrows = re.findall(r"^ +(\w+) --> (\w+): ", DOCUMENT.read_text(), re.MULTILINE)

    assert set(arrows) == in_code()


def test_every_verb_in_the_table_exists() -> None:
    table = "\n".join(re.findall(r"^\| \w+ \| \w+ \| ([^|]+) \|", DOCUMENT.read_text(), re.M))

    for verb in re.findall(r"`(\w+)`", table):
        assert callable(getattr(transitions, verb))


def test_nothing_leaves_a_finished_state() -> None:
    assert not set(transitions.NEXT) & FINISHED
    assert set(transitions.NEXT) | FINISHED == set(Status)

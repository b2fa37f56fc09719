"""One table of reasons: every code that the code gives is in it, described and explained."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command
from django.test import Client

from executions.models import Attempt, Origin, Status
from executions.reason_table import FAMILIES
from executions.reasons import REASONS, say

ROOT = Path(settings.BASE_DIR)
APPS = ["chronos_project", "executions", "jobs"]
FIRST_ARGUMENT = frozenset({"Failed", "say"})  # calls that name the code first
BY_KEYWORD = {  # calls that name it so
    "Report": "reason",
    "skip": "reason",
    "skip_all": "reason",
    "cancel": "reason",
    "born_skipped": "reason",
}


def nodes() -> Iterator[ast.AST]:
    for app in APPS:
        for path in (ROOT / app).rglob("*.py"):
            if "tests" not in path.parts and "migrations" not in path.parts:
                yield from ast.walk(ast.parse(path.read_text()))


def name_of(call: ast.Call) -> str:
    return str(getattr(call.func, "attr", None) or getattr(call.func, "id", ""))


def texts(node: ast.expr) -> Iterator[str]:
    """The text that an expression is, or may be: ``"a" if x else "b"``."""
    match node:
        case ast.Constant(value=str(text)):
            yield text
        case ast.IfExp():
            yield from texts(node.body)
            yield from texts(node.orelse)


def codes_of_call(call: ast.Call) -> Iterator[str]:
    name = name_of(call)
    if name in FIRST_ARGUMENT and call.args:
        yield from texts(call.args[0])
    for keyword in call.keywords:
        if BY_KEYWORD.get(name) == keyword.arg:
            yield from texts(keyword.value)


def codes_of_function(function: ast.FunctionDef) -> Iterator[str]:
    """What its parameter ``reason`` is when nobody says it."""
    defaults = zip(function.args.kwonlyargs, function.args.kw_defaults, strict=True)
    for argument, default in defaults:
        if argument.arg == "reason" and default is not None:
            yield from texts(default)


def codes_in_code() -> set[str]:
    found: set[str] = set()
    for node in nodes():
        match node:
            case ast.Call():
                found |= set(codes_of_call(node))
            case ast.FunctionDef():
                found |= set(codes_of_function(node))
    return found - {""}


def test_the_collector_sees_what_it_must() -> None:
    assert {
        "timeout",
        "raised",
        "worker_lost",
        "cancelled",
        "overlap",
        "bad_status",
        "misfire",
    } <= (codes_in_code())


def test_every_code_that_the_code_gives_is_in_the_table() -> None:
    assert codes_in_code() - REASONS.keys() == set()


def test_every_way_that_an_attempt_or_an_execution_ends_is_in_the_table() -> None:
    ends = {
        *(outcome.value for outcome in Attempt.Outcome if outcome != Attempt.Outcome.WAITING),
        *(status.value for status in (Status.SUCCEEDED, Status.FAILED, Status.CANCELLED)),
    }
    origins = {origin.value for origin in Origin} - {"schedule"}

    assert ends | origins <= REASONS.keys()


@pytest.mark.parametrize("code", REASONS)
def test_every_code_has_a_sentence_and_a_place_where_it_is_described(
    client: Client, code: str
) -> None:
    found = say(code)

    assert re.fullmatch(r"[A-Z{…].*\.", found.sentence)
    assert "{" not in found.sentence
    assert found.link == f"/reasons#{code}"
    assert not found.do or re.fullmatch(r"[A-Z].*[.]", found.do)


def test_no_code_stands_in_the_table_twice() -> None:
    assert sum(len(rows) for rows in FAMILIES.values()) == len(REASONS)


@pytest.mark.parametrize("code", ["brand_new", "", "{code}", "{0.__class__}", "a" * 64])
def test_a_code_of_a_newer_worker_gets_an_honest_sentence(code: str) -> None:
    found = say(code, anything=1)

    assert found.sentence.startswith(f"{code}: ")
    assert "newer version" in found.sentence
    assert found.link == "/reasons"


def test_facts_are_never_read_as_templates() -> None:
    assert say("queue_paused", queue="{why}", why=": {0}").sentence == (
        "The queue {why} is paused: {0}."
    )


def test_the_document_is_what_the_table_says() -> None:
    written = StringIO()
    call_command("reasons", stdout=written)

    assert (ROOT / "docs" / "reasons.md").read_text() == written.getvalue()


def test_the_page_has_every_code(client: Client) -> None:
    answer = client.get("/reasons")
    html = answer.content.decode()

    assert answer.status_code == 200
    assert all(f'id="{code}"' in html for code in REASONS)

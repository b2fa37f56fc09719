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
from jobs.slots import Why

ROOT = Path(settings.BASE_DIR)
APPS = ["chronos_project", "executions", "jobs"]
FIRST_ARGUMENT = frozenset({"Failed", "say"})  # calls that name the code first
CODE = re.compile(r"[a-z]+(_[a-z]+)*")  # other reasons are what people wrote


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


def codes_of(node: ast.AST) -> Iterator[str]:
    """What a call names as a code, what a parameter says by default, what a table maps to."""
    match node:
        case ast.Call(args=[first, *_]) if name_of(node) in FIRST_ARGUMENT:
            yield from texts(first)
        case ast.keyword(arg="reason", value=value):
            yield from texts(value)
        case ast.FunctionDef(args=ast.arguments(kwonlyargs=names, kw_defaults=defaults)):
            for name, default in zip(names, defaults, strict=True):
                if name.arg == "reason" and default is not None:
                    yield from texts(default)
        case ast.Assign(targets=[ast.Name(id="REASONS")], value=ast.Dict(values=values)):
            for value in values:
                yield from texts(value)


def codes_in_code() -> set[str]:
    found = {code for node in nodes() for code in codes_of(node) if CODE.fullmatch(code)}
    return found | {why.value for why in Why}


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

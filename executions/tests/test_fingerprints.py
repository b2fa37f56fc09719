"""The same cause has one fingerprint on any id, line, host or time; another cause has another."""

from __future__ import annotations

import re
import time
import traceback
from typing import Any

import pytest

from executions.fingerprints import ROOT, cause, normalised, own_frame, raised

OWN = "/srv/releases/41/shop/orders.py"
SITE = "/venv/lib/python3.11/site-packages/requests/api.py"


def trace(*frames: tuple[str, str], error: str = "ValueError: no luck", line: int = 7) -> str:
    shown = "".join(f'  File "{path}", line {line}, in {name}\n    go()\n' for path, name in frames)
    return f"Traceback (most recent call last):\n{shown}{error}\n"


def key(message: str, **fields: Any) -> str:
    return cause(fields.pop("reason", "raised"), message=message, **fields).fingerprint


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("order 17 has no address", "order 4711 has no address"),
        ("took 1.5 s", "took 20 s"),
        ("-3 items left", "12 items left"),
        (
            "no user 0190a0b4-7d5e-7c4b-9d0f-6f1a2b3c4d5e",
            "no user 0190a0b4-ffff-7c4b-9d0f-6f1a2b3c4d5f",
        ),
        ("KeyError: 'anna'", "KeyError: 'bob'"),
        ('no column "a b"', 'no column "c"'),
        ("<Order object at 0x7f3a10>", "<Order object at 0x7f9999>"),
        ("commit deadbeef01 is gone", "commit cafe012345 is gone"),
        ("cannot open /var/data/a.csv", "cannot open /srv/b/c-2.csv"),
        (r"cannot open C:\data\a.csv", r"cannot open D:\b\c.csv"),
        ("no answer from 10.0.0.1:80", "no answer from 192.168.1.20:8080"),
        ("no answer from fe80::1:2:3", "no answer from 2001:db8:0:1:2:3:4:5"),
        ("no answer from db-1.example:5432", "no answer from replica.example.org:5433"),
        ("GET https://a.example/x?y=1 failed", "GET https://b.example/z failed"),
        ("mail to ann@example.org bounced", "mail to bob.b@example.net bounced"),
        (
            "io@a1 stopped renewing its lease, which ended at 12:00:00 UTC.",
            "io@host.b stopped renewing its lease, which ended at 09:41:07 UTC.",
        ),
        ("no rate for 2027-06-15", "no rate for 2028-01-01"),
        ("late since 2027-06-15T12:00:00Z", "late since 2027-06-15 13:00:00.123+02:00"),
        ("two  words\n here", "two words here"),
        ("row 5: " + "x" * 3000, "row 6: " + "x" * 4000),
    ],
)
def test_what_differs_from_time_to_time_is_the_same_cause(one: str, other: str) -> None:
    assert normalised(one) == normalised(other)
    assert key(one) == key(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("order 17 has no address", "order 17 has no customer"),
        ("HTTP 404", "HTTP 500"),
        ("[Errno 111] Connection refused", "[Errno 110] Connection refused"),
        ("exited with 1", "exited with 137"),
        ("status: 401", "status: 403"),
        ("killed by signal 9", "killed by signal 15"),
        ("can't read it, don't ask", "can't write it, don't ask"),
    ],
)
def test_what_went_wrong_stays_apart(one: str, other: str) -> None:
    assert key(one) != key(other)


def test_reason_class_and_place_tell_causes_apart() -> None:
    frames = trace((OWN, "load"))
    found = {
        key("no luck", trace=frames),
        key("no luck", reason="gave_up", trace=frames),
        key("no luck", trace=trace((OWN, "load"), error="KeyError: no luck")),
        key("no luck", trace=trace((OWN, "save"))),
        key("no luck", trace=trace(("/srv/releases/41/shop/mails.py", "load"))),
        key("no luck"),
    }

    assert len(found) == 6


def test_another_line_or_release_is_the_same_place() -> None:
    moved = trace(("/srv/releases/42/shop/orders.py", "load"), line=99)

    assert key("no luck", trace=trace((OWN, "load"))) == key("no luck", trace=moved)


@pytest.mark.parametrize(
    ("frames", "place"),
    [
        ([(OWN, "load"), (SITE, "get")], "shop/orders.py:load"),
        ([(OWN, "load"), (OWN, "inner"), ("/usr/lib/python3.11/json/__init__.py", "loads")],
         "shop/orders.py:inner"),
        ([(f"{ROOT}/executions/runner.py", "_run_kind"), (OWN, "load"), ("<frozen x>", "f")],
         "shop/orders.py:load"),
        ([(f"{ROOT}/jobs/kinds/python.py", "run"), (f"{ROOT}/examples/a.py", "f")],
         "examples/a.py:f"),
        ([(f"{ROOT}/jobs/kinds/python.py", "run"), (SITE, "get")], "requests/api.py:get"),
        ([(f"{ROOT}/jobs/kinds/python.py", "run")], ""),
        ([], ""),
    ],
)  # fmt: skip
def test_the_place_is_the_innermost_of_the_jobs_own(
    frames: list[tuple[str, str]], place: str
) -> None:
    assert own_frame(trace(*frames)) == place


def test_of_a_chain_the_last_exception_counts() -> None:
    def load() -> None:
        try:
            int("x")
        except ValueError as exc:
            raise LookupError("no order") from exc

    with pytest.raises(LookupError) as caught:
        load()
    text = "".join(traceback.format_exception(caught.value))

    assert raised(text) == "LookupError"


def test_an_exception_of_a_module_is_named_with_it() -> None:
    assert raised(trace((OWN, "f"), error="shop.errors.EmptyError: nothing")) == (
        "shop.errors.EmptyError"
    )
    assert raised(trace((OWN, "f"), error="KeyboardInterrupt")) == "KeyboardInterrupt"
    assert raised("") == raised("Segmentation fault") == ""


def test_a_fingerprint_is_32_hexadecimal_digits_of_whatever_there_is() -> None:
    for message in ["", "\ud800", "\x00", "'" * 5000, "日本語"]:
        assert re.fullmatch("[0-9a-f]{32}", key(message))


@pytest.mark.parametrize(
    "piece", ["'", '"', "a.", "0:", "/a", "1,", "a@", ":", "f", "0", "-", "a b"]
)
def test_a_message_made_to_be_slow_is_not(piece: str) -> None:
    before = time.process_time()

    key(piece * 50_000, trace='  File "x' * 10_000)

    assert time.process_time() - before < 0.5

"""Rules of `lib.strict_json`."""

from __future__ import annotations

import json
import tracemalloc
from io import BytesIO
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rest_framework.exceptions import ParseError

from lib.faults import BodyTooLargeError
from lib.strict_json import MAX_BYTES, MAX_DEPTH, MAX_KEYS, StrictJSONParser, parse

MIB = 1024 * 1024

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00")),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(
            st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00")), inner
        )
    ),
    max_leaves=20,
)


def refusal(body: bytes) -> tuple[str, str]:
    """Return the code and the words with which ``body`` is refused."""
    with pytest.raises(ParseError) as caught:
        parse(body)
    detail: Any = caught.value.detail
    return str(detail.code), str(detail)


def is_fit_for_use(body: bytes) -> bool:
    """Say whether ``body`` gives a value that can be written again, or is refused in order."""
    try:
        value = parse(body)
    except ParseError as exc:
        detail: Any = exc.detail
        return str(detail.code).startswith("json_")
    return bool(json.dumps(value, allow_nan=False, ensure_ascii=False).encode())


@given(VALUES, st.booleans())
def test_what_json_can_say_comes_through_unchanged(value: Any, is_ascii: bool) -> None:
    assert parse(json.dumps(value, ensure_ascii=is_ascii).encode()) == value


@given(st.binary(max_size=200))
def test_bytes_give_a_value_or_a_parse_error(body: bytes) -> None:
    assert is_fit_for_use(body)


@given(st.text(st.sampled_from('[]{}",:0123456789.eE+-\\u0dDnaNtrue \n'), max_size=60))
def test_almost_json_gives_a_value_or_a_parse_error(text: str) -> None:
    assert is_fit_for_use(text.encode())


@pytest.mark.parametrize(
    ("body", "where"),
    [
        (b'{"a": }', "line 1, column 7"),
        (b'{\n  "a": 1,\n  b: 2\n}', "line 3, column 3"),
        (b"{} {}", "line 1, column 4"),
        (b"", "line 1, column 1"),
    ],
)
def test_a_fault_of_the_syntax_says_where(body: bytes, where: str) -> None:
    code, words = refusal(body)

    assert code == "json_invalid"
    assert where in words


@pytest.mark.parametrize("number", [b"9223372036854775807", b"-9223372036854775808", b"-0", b"0"])
def test_whole_numbers_of_64_bits_are_taken(number: bytes) -> None:
    assert parse(number) == int(number)


@pytest.mark.parametrize(
    "number",
    [b"9223372036854775808", b"-9223372036854775809", b"1" * 5000, b"-" + b"1" * MAX_BYTES],
)
def test_larger_whole_numbers_are_refused(number: bytes) -> None:
    assert refusal(number)[0] == "json_number"


@pytest.mark.parametrize("number", [b"1e400", b"-1e309", b"1E+9999999", b"NaN", b"Infinity"])
def test_a_number_that_is_not_finite_is_refused(number: bytes) -> None:
    assert refusal(b'{"a": [' + number + b"]}")[0] == "json_number"


def test_the_key_that_stands_twice_is_named() -> None:
    code, words = refusal(b'{"a": {"name": 1, "x": 2, "name": 3}}')

    assert code == "json_duplicate_key"
    assert "'name'" in words


def test_keys_that_differ_only_by_normal_form_are_two_keys() -> None:
    assert len(parse('{"é": 1, "e\u0301": 2}'.encode())) == 2


@pytest.mark.parametrize("text", ["\\u0000", "a\\u0000", "\\ud800", "\\udc00\\ud800", "\\ud83dx"])
@pytest.mark.parametrize("form", ['"%s"', '{"%s": 1}', '{"a": ["%s"]}'])
def test_text_that_cannot_be_stored_is_refused(text: str, form: str) -> None:
    assert refusal((form % text).encode())[0] in {"json_nul", "json_surrogate"}


@pytest.mark.parametrize("text", ["\\ud83d\\ude00", "\\\\u0000", "\\\\ud800", "\\u001b", "\\uffff"])
def test_text_that_only_looks_like_it_is_taken(text: str) -> None:
    body = f'"{text}"'.encode()

    assert parse(body) == json.loads(body)


@pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b'{"a":', b"}")])
def test_values_nest_64_levels_deep(opening: bytes, closing: bytes) -> None:
    def nested(depth: int) -> bytes:
        return opening * depth + b"1" + closing * depth

    assert parse(nested(MAX_DEPTH))
    assert refusal(nested(MAX_DEPTH + 1))[0] == "json_too_deep"


def test_brackets_in_strings_do_not_nest() -> None:
    text = "[{" * 1000 + '\\"['

    assert parse(json.dumps([text]).encode()) == [text]


@pytest.mark.parametrize("count", [MAX_KEYS, MAX_KEYS + 1])
def test_keys_are_counted_over_all_objects(count: int) -> None:
    half = count // 2
    body = [{str(n): n for n in range(half)}, {str(n): n for n in range(count - half)}]
    encoded = json.dumps(body).encode()

    if count <= MAX_KEYS:
        assert parse(encoded) == body
    else:
        assert refusal(encoded)[0] == "json_too_many_keys"


@pytest.mark.parametrize(
    "body",
    [
        b"[" + b"[]," * (MIB // 3 - 2) + b"1]",
        b"[" + b"{}," * (MIB // 3 - 2) + b"1]",
        b"[" + b"1," * (MIB // 2 - 2) + b"1]",
        b"[" + b"1.5," * (MIB // 4 - 2) + b"1]",
        b'["' + b'","' * (MIB // 3 - 2) + b'"]',
        b'"' + b"\\ud800" * (MIB // 6 - 2) + b'"',
        b'"' + b"\\" * (MIB - 1),
        b'"' * MIB,
        b"[" * MIB,
        b"{" + b",".join(b'"%d":0' % n for n in range(100_000)) + b"}",
    ],
    ids=[
        "arrays",
        "objects",
        "ints",
        "floats",
        "texts",
        "halves",
        "escapes",
        "quotes",
        "deep",
        "keys",
    ],
)
def test_no_body_of_one_mebibyte_takes_50_mb(body: bytes) -> None:
    tracemalloc.start()
    try:
        parse(body)
    except ParseError:
        pass
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()

    assert peak < 50 * 1000 * 1000


def test_a_body_is_read_up_to_one_mebibyte() -> None:
    parser = StrictJSONParser()
    text = "x" * (MAX_BYTES - 2)

    assert parser.parse(BytesIO(f'"{text}"'.encode())) == text
    with pytest.raises(BodyTooLargeError):
        parser.parse(BytesIO(f'"{text}x"'.encode()))

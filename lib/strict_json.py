"""A JSON parser that takes what RFC 8259 and PostgreSQL both understand, and nothing else."""

from __future__ import annotations

import json
import math
import re
from typing import IO, TYPE_CHECKING, Any, NoReturn

from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser

from lib.faults import BodyTooLargeError, Code

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MAX_BYTES = 1024 * 1024
MAX_DEPTH = 64
MAX_KEYS = 10_000
MAX_CONTAINERS = 10_000  # objects and arrays
INTEGERS = range(-(2**63), 2**63)  # what a 64-bit number can hold

_BOM = b"\xef\xbb\xbf"
_MAX_DIGITS = 20  # with the sign; longer ones are not even converted
# Brackets that count, and strings, whose brackets do not.
_BRACKET_OR_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[\[\]{}]', re.DOTALL)


class StrictJSONParser(JSONParser):
    """Refuses what DRF's own lets through or stumbles over.

    That is NaN and numbers too large, the same key twice, deep nesting, U+0000 and lone
    surrogates, a byte order mark, anything after the document. Always with 400; 413 when longer
    than ``MAX_BYTES``.
    """

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        body = stream.read(MAX_BYTES + 1)
        if len(body) > MAX_BYTES:
            raise BodyTooLargeError
        return parse(body)


def parse(body: bytes) -> Any:
    """Return the value of a JSON document in UTF-8. Raises ``ParseError`` that says what and where.

    A document that consists of nothing is refused as well; DRF asks no parser about a request
    without a body.
    """
    text = decode(body)
    if body.count(b"{") + body.count(b"[") > MAX_DEPTH:
        _check_brackets(body)
    try:
        value = _decoder.decode(text)
    except json.JSONDecodeError as exc:
        where = f"line {exc.lineno}, column {exc.colno}"
        _refuse(f"This is not valid JSON at {where}: {exc.msg}.", "json_invalid")
    if b"\\u" in body or body.count(b":") > MAX_KEYS:  # else there is nothing to be found
        _check_texts(value)
    return value


def _refuse(message: str, code: str, hint: str = "") -> NoReturn:
    raise ParseError(message, code=Code(code, hint))


def decode(body: bytes) -> str:
    """Return ``body`` as text. Raises ``ParseError`` unless it is plain UTF-8."""
    if body.startswith(_BOM):
        _refuse("The body begins with a byte order mark.", "json_bom", "Send plain UTF-8.")
    try:
        return body.decode()
    except UnicodeDecodeError as exc:
        _refuse(f"The body is not UTF-8 at byte {exc.start}.", "json_encoding")


def _check_brackets(body: bytes) -> None:
    """Count brackets before anything recurses into them, or makes an object for each."""
    depth = opened = 0
    for match in _BRACKET_OR_STRING.finditer(body):
        if match[0] in b"[{":
            depth += 1
            opened += 1
        elif match[0] in b"]}":
            depth -= 1
        if depth > MAX_DEPTH:
            message = f"Values are nested deeper than {MAX_DEPTH} levels at byte {match.start()}."
            _refuse(message, "json_too_deep")
        if opened > MAX_CONTAINERS:
            message = f"The body has more than {MAX_CONTAINERS} objects and arrays."
            _refuse(message, "json_too_many_values")


def _refuse_constant(word: str) -> NoReturn:
    _refuse(f"{word} is not a JSON number.", "json_number")


def _float(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        _refuse(f"The number {digits[:40]} is too large.", "json_number")
    return number


def _integer(digits: str) -> int:
    if len(digits) > _MAX_DIGITS or (number := int(digits)) not in INTEGERS:
        _refuse(f"The number {digits[:40]} does not fit into 64 bits.", "json_number")
    return number


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) == len(pairs):
        return value
    seen: set[str] = set()
    for name, _ in pairs:
        if name in seen:
            _refuse(f"The key {_shown(name)} stands twice in one object.", "json_duplicate_key")
        seen.add(name)
    return value


_decoder = json.JSONDecoder(
    parse_constant=_refuse_constant,
    parse_float=_float,
    parse_int=_integer,
    object_pairs_hook=_object,
)


def _check_texts(value: Any) -> None:
    """Refuse texts that UTF-8 or PostgreSQL cannot hold, and too many keys."""
    keys = 0
    for found, is_key in _texts(value):
        keys += is_key
        if keys > MAX_KEYS:
            _refuse(f"The body has more than {MAX_KEYS} keys.", "json_too_many_keys")
        if "\x00" in found:
            _refuse(f"The text {_shown(found)} has the character U+0000.", "json_nul")
        if not found.isascii() and any("\ud800" <= char <= "\udfff" for char in found):
            _refuse(f"The text {_shown(found)} has half a surrogate pair.", "json_surrogate")


def _texts(value: Any) -> Iterator[tuple[str, bool]]:
    """Yield every text in ``value`` and whether it is a key; without recursion."""
    waiting = [value]
    while waiting:
        match waiting.pop():
            case str(text):
                yield text, False
            case dict(members):
                yield from ((name, True) for name in members)
                waiting.extend(members.values())
            case list(items):
                waiting.extend(items)


def _shown(text: str) -> str:
    return ascii(text[:40])

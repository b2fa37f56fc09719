"""Bodies of many documents are only taken apart."""

from __future__ import annotations

from io import BytesIO

import pytest
from rest_framework.exceptions import ParseError

from lib import ndjson
from lib.faults import BodyTooLargeError
from lib.ndjson import LinesParser


@pytest.mark.parametrize(
    ("body", "lines"),
    [
        (b"", []),
        (b"\n\r\n \n", []),
        (b'{"a": 1}', ['{"a": 1}']),
        (b'{"a": 1}\n{"b": 2}\n', ['{"a": 1}', '{"b": 2}']),
        (b"1\r\n\n2", ["1\r", "2"]),
        ('"a\u2028b"\n3'.encode(), ['"a\u2028b"', "3"]),  # no line end of JSON
        (b"{\n}", ["{", "}"]),  # whoever reads these finds out
    ],
)
def test_a_document_is_a_line(body: bytes, lines: list[str]) -> None:
    assert LinesParser().parse(BytesIO(body)) == lines


@pytest.mark.parametrize("body", [b"\xff", b"\xef\xbb\xbf{}"])
def test_only_plain_utf_8_is_taken(body: bytes) -> None:
    with pytest.raises(ParseError):
        LinesParser().parse(BytesIO(body))


def test_a_body_has_an_end() -> None:
    with pytest.raises(BodyTooLargeError, match="8 MiB"):
        LinesParser().parse(BytesIO(b"\n" * (ndjson.MAX_BYTES + 1)))
